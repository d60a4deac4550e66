package dev.sluice.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.text.MessageFormat;
import java.util.Locale;
import java.util.ResourceBundle;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// Where this process's [System.Logger]s write: to whoever draws on the terminal, so that a warning
/// does not tear a progress line apart, and to the log of a boot. The module declares it as a
/// service.
public final class Loggers extends System.LoggerFinder {
  private static final String OURS = "dev.sluice.";

  private static final AtomicReference<Receiver> RECEIVER =
      new AtomicReference<>(Loggers::toStandardError);

  /// Made by the JDK, once.
  public Loggers() {}

  /// Takes what is logged.
  @FunctionalInterface
  interface Receiver {
    /// Called by any thread.
    ///
    /// @param line the message, with the stack of its exception below it, if it has one
    void log(System.Logger.Level level, String line);
  }

  /// Sends lines to `receiver` until the answer is closed.
  static Redirection sendTo(Receiver receiver) {
    return new Redirection(RECEIVER.getAndSet(receiver));
  }

  /// Lines go elsewhere while this is open.
  record Redirection(Receiver before) implements AutoCloseable {
    @Override
    public void close() {
      RECEIVER.set(before);
    }
  }

  @Override
  public System.Logger getLogger(String name, Module module) {
    return new Forwarding(name);
  }

  private static void toStandardError(System.Logger.Level level, String line) {
    if (level.getSeverity() >= System.Logger.Level.WARNING.getSeverity()) {
      System.err.println("sluice: " + line);
    }
  }

  /// Passes on what Sluice logs from DEBUG on, and warnings of anyone else.
  private record Forwarding(String name) implements System.Logger {
    @Override
    public String getName() {
      return name;
    }

    @Override
    public boolean isLoggable(Level level) {
      Level least = name.startsWith(OURS) ? Level.DEBUG : Level.WARNING;
      return level != Level.OFF && level.getSeverity() >= least.getSeverity();
    }

    @Override
    public void log(
        Level level,
        @Nullable ResourceBundle bundle,
        @Nullable String message,
        @Nullable Throwable thrown) {
      if (isLoggable(level)) {
        RECEIVER.get().log(level, message + (thrown == null ? "" : stack(thrown)));
      }
    }

    @Override
    public void log(
        Level level,
        @Nullable ResourceBundle bundle,
        @Nullable String format,
        Object @Nullable ... parameters) {
      if (isLoggable(level)) {
        boolean plain = format == null || parameters == null || parameters.length == 0;
        String line =
            plain
                ? String.valueOf(format)
                : new MessageFormat(format, Locale.ROOT).format(parameters);
        RECEIVER.get().log(level, line);
      }
    }

    private static String stack(Throwable thrown) {
      StringWriter text = new StringWriter();
      thrown.printStackTrace(new PrintWriter(text));
      return System.lineSeparator() + text.toString().stripTrailing();
    }
  }
}
