package dev.sluice.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// The terminal's raw mode (termios(3)): every key reaches the program at once, Ctrl-C too, and
/// nothing is echoed. Left on [#close], and when the process ends.
final class RawMode implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(RawMode.class.getName());

  private static final long PATIENCE_SECONDS = 5;

  private final String before;
  private final Thread hook = new Thread(this::restore, "sluice-terminal");

  private RawMode(String before) {
    this.before = before;
  }

  /// Puts the terminal at standard input into raw mode.
  ///
  /// @throws IOException if it is none, or there is no `stty`
  static RawMode enter() throws IOException, InterruptedException {
    RawMode mode = new RawMode(stty("-g").strip());
    // Registered first: a signal between the two finds a terminal that works.
    Runtime.getRuntime().addShutdownHook(mode.hook);
    var _ = stty("raw", "-echo");
    return mode;
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException _) {
      // The process is ending; restoring twice is harmless.
    }
    restore();
  }

  private void restore() {
    try {
      var _ = stty(before);
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "the terminal stays raw; mend it with: stty sane", e);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private static String stty(String... arguments) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of("stty"));
    words.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(words)
            .redirectInput(ProcessBuilder.Redirect.INHERIT)
            .redirectErrorStream(true)
            .start();
    String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IOException(String.join(" ", words) + " hangs");
    }
    if (process.exitValue() != 0) {
      throw new IOException(String.join(" ", words) + ": " + answer.strip());
    }
    return answer;
  }
}
