package dev.sluice.cli;

import dev.sluice.cli.Terminal.Style;
import dev.sluice.vm.BootListener;
import dev.sluice.vm.BootReport;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Shows how a boot goes on: one line a stage, drawn again in place where that is possible, and
/// written once where it is not. Remembers the stages, for a boot that fails.
final class BootProgress implements BootListener, Loggers.Receiver {
  /// Warnings shown; a guest or a peer that provokes more finds them in the log only.
  static final int MAX_WARNINGS = 20;

  /// Start of line, erase to its end (ECMA-48 EL), and no wrapping (DECAWM off): a line that is
  /// wider than the terminal must not become two, of which only one would be drawn over.
  private static final String REDRAW = "\r\u001b[K\u001b[?7l";

  private static final String WRAP_AGAIN = "\u001b[?7h";
  private static final String ERASE = "\r\u001b[K";

  private final PrintWriter err;
  private final Terminal terminal;
  private final boolean verbose;
  private final BootLog log;
  private final Optional<GuestTerminal> guestTerminal;
  private final LongSupplier nanoTime;
  private final long start;
  private final List<BootReport.Stage> ended = new ArrayList<>();
  private @Nullable String stage;
  private long stageStart;
  private double fraction = -1;
  private String detail = "";
  private int warnings;
  private boolean lineOpen;
  private boolean handedOver;

  /// @param err where to
  /// @param terminal what `err` permits
  /// @param verbose whether to show the guest's console
  /// @param log gets everything
  /// @param guestTerminal the user's terminal, in an interactive boot
  /// @param nanoTime the clock, usually `System::nanoTime`
  BootProgress(
      PrintWriter err,
      Terminal terminal,
      boolean verbose,
      BootLog log,
      Optional<GuestTerminal> guestTerminal,
      LongSupplier nanoTime) {
    this.err = err;
    this.terminal = terminal;
    this.verbose = verbose;
    this.log = log;
    this.guestTerminal = guestTerminal;
    this.nanoTime = nanoTime;
    this.start = nanoTime.getAsLong();
  }

  @Override
  public synchronized void stage(String name) {
    endStage("");
    log.event("%.3f s: stage %s".formatted(wall().toNanos() / 1e9, name));
    stage = name;
    stageStart = nanoTime.getAsLong();
    fraction = -1;
    detail = "";
    if (terminal.redraws()) {
      draw();
    } else if (!handedOver) {
      err.print(name + " ...");
      err.flush();
      lineOpen = true;
    }
  }

  @Override
  public synchronized void progress(double fraction, String detail) {
    this.fraction = fraction;
    this.detail = detail;
  }

  @Override
  public synchronized void console(String line) {
    log.console(line);
    if (verbose) {
      print(terminal.paint(Style.DIM, "  | " + line));
    }
  }

  @Override
  public synchronized void note(String sentence) {
    log.event("note: " + sentence);
    print(terminal.paint(Style.YELLOW, "Note:") + " " + sentence);
  }

  @Override
  public synchronized void log(System.Logger.Level level, String line) {
    log.event(level + ": " + line);
    boolean severe = level.getSeverity() >= System.Logger.Level.WARNING.getSeverity();
    if (severe && warnings < MAX_WARNINGS) {
      warnings++;
      print(terminal.paint(Style.YELLOW, "Warning:") + " " + line);
    }
  }

  @Override
  public void terminal(byte[] bytes, int count) {
    guestTerminal.ifPresent(user -> user.show(bytes, count));
  }

  @Override
  public synchronized void shell(OutputStream keys) {
    endStage("");
    handedOver = true;
    guestTerminal.ifPresent(user -> user.giveTo(keys));
  }

  /// Draws the line again, with the time of now. Called several times a second where the terminal
  /// permits it; does nothing elsewhere.
  synchronized void tick() {
    if (terminal.redraws()) {
      draw();
    }
  }

  /// The boot is over: ends the line. Nothing is written after it.
  ///
  /// @param outcome what to add to the last stage's line, such as `failed`
  synchronized void end(String outcome) {
    endStage(outcome);
    handedOver = true;
  }

  /// The stage that runs, or ran last.
  synchronized Optional<String> currentStage() {
    if (stage != null) {
      return Optional.of(stage);
    }
    return ended.isEmpty() ? Optional.empty() : Optional.of(ended.getLast().name());
  }

  /// The stages that have ended.
  synchronized List<BootReport.Stage> stages() {
    return List.copyOf(ended);
  }

  /// Time since the beginning.
  Duration wall() {
    return Duration.ofNanos(nanoTime.getAsLong() - start);
  }

  private void endStage(String outcome) {
    if (stage == null) {
      return;
    }
    Duration took = Duration.ofNanos(nanoTime.getAsLong() - stageStart);
    ended.add(new BootReport.Stage(stage, took));
    if (!handedOver) {
      String end = seconds(took) + (outcome.isEmpty() ? "" : " " + outcome);
      if (terminal.redraws()) {
        err.println(ERASE + stage + " ... " + end);
      } else {
        err.println((lineOpen ? " " : stage + " ... ") + end);
      }
      err.flush();
      lineOpen = false;
    }
    stage = null;
  }

  /// Writes a line above the one that is being drawn.
  private void print(String line) {
    if (handedOver) {
      return;
    }
    if (terminal.redraws()) {
      err.println(ERASE + line);
      draw();
    } else {
      err.println((lineOpen ? System.lineSeparator() : "") + line);
      lineOpen = false;
    }
    err.flush();
  }

  private void draw() {
    if (stage == null || handedOver) {
      return;
    }
    StringBuilder line = new StringBuilder(terminal.paint(Style.BOLD, stage)).append(" ... ");
    line.append(seconds(Duration.ofNanos(nanoTime.getAsLong() - stageStart)));
    if (fraction >= 0) {
      line.append(String.format(Locale.ROOT, "  %3.0f %%", 100 * Math.min(1, fraction)));
    }
    if (!detail.isEmpty()) {
      line.append("  ").append(terminal.paint(Style.DIM, detail));
    }
    err.print(REDRAW + line + WRAP_AGAIN);
    err.flush();
  }

  private static String seconds(Duration time) {
    return String.format(Locale.ROOT, "%.1f s", time.toNanos() / 1e9);
  }
}
