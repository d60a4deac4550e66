package dev.sluice.vm.guest.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// What the guest's drivers have to say, in the form of a Linux kernel's raw log: `<6>[ 1.234567]
/// text`. For one thread.
public final class KernelLog {
  private static final int WARNING = 4;
  private static final int INFO = 6;
  private static final double NANOS = 1e9;

  private final long started = System.nanoTime();
  private final List<String> lines = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();

  /// An empty log; its clock starts now.
  public KernelLog() {}

  /// Seconds since the log was made.
  public double uptime() {
    return (System.nanoTime() - started) / NANOS;
  }

  /// Something worth knowing.
  public void info(String text) {
    add(INFO, text);
  }

  /// Something that a healthy machine does not say.
  public void warn(String text) {
    add(WARNING, text);
    warnings.add(text);
  }

  private void add(int level, String text) {
    lines.add(String.format(Locale.ROOT, "<%d>[%12.6f] %s", level, uptime(), text));
  }

  /// Every line so far.
  public List<String> lines() {
    return List.copyOf(lines);
  }

  /// The texts of the warnings so far.
  public List<String> warnings() {
    return List.copyOf(warnings);
  }
}
