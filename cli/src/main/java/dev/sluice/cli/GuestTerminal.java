package dev.sluice.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/// The user's terminal while it is the guest's: keys go to the guest as they are typed, Ctrl-C too,
/// and what the guest writes appears as it comes. Ctrl-A x ends the guest, as in QEMU.
final class GuestTerminal implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(GuestTerminal.class.getName());

  private static final int CTRL_A = 1;

  /// What ends the guest's shell when the user's input ends. Not Ctrl-D: the guest's terminal
  /// forgets one that comes before the shell has taken it over.
  private static final byte[] END = "exit\n".getBytes(StandardCharsets.US_ASCII);

  private final InputStream input;
  private final OutputStream output;
  private final boolean inputIsTerminal;
  private final Runnable stop;
  private volatile boolean given;
  private Optional<RawMode> rawMode = Optional.empty();

  /// @param input the user's keys
  /// @param output what the user sees
  /// @param inputIsTerminal whether keys come from a terminal that has to be told to pass them on
  /// @param stop ends the guest
  GuestTerminal(InputStream input, OutputStream output, boolean inputIsTerminal, Runnable stop) {
    this.input = input;
    this.output = output;
    this.inputIsTerminal = inputIsTerminal;
    this.stop = stop;
  }

  /// The guest has the terminal from now on.
  ///
  /// @param keys the input of the guest's console
  synchronized void giveTo(OutputStream keys) {
    if (inputIsTerminal) {
      makeRaw();
    }
    given = true;
    write(
        "\r\nThe terminal is the guest's now: 'exit' powers it off, Ctrl-A x ends it at once.\r\n"
            .getBytes(StandardCharsets.US_ASCII));
    Thread.ofPlatform().daemon().name("sluice-keys").start(() -> copy(keys));
  }

  /// Bytes that the guest wrote. What it writes before it has the terminal is not shown.
  ///
  /// @param count how many of `bytes`, from the start
  void show(byte[] bytes, int count) {
    if (given) {
      write(Arrays.copyOf(bytes, count));
    }
  }

  /// Gives the terminal back to the user.
  @Override
  public synchronized void close() {
    given = false;
    rawMode.ifPresent(RawMode::close);
    rawMode = Optional.empty();
  }

  private void write(byte[] bytes) {
    try {
      output.write(bytes);
      output.flush();
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "the user's terminal is gone", e);
    }
  }

  private void copy(OutputStream keys) {
    try {
      // The guest's prompt came before it had the terminal: an empty line makes another.
      send(keys, '\n');
      boolean escaped = false;
      for (int key = input.read(); key >= 0; key = input.read()) {
        if (!escaped && key == CTRL_A) {
          escaped = true;
        } else if (escaped && key == 'x') {
          stop.run();
          return;
        } else {
          escaped = false;
          send(keys, key);
        }
      }
      keys.write(END);
      keys.flush();
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "the guest's console is gone", e);
    }
  }

  private static void send(OutputStream keys, int key) throws IOException {
    keys.write(key);
    keys.flush();
  }

  private void makeRaw() {
    try {
      rawMode = Optional.of(RawMode.enter());
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "keys reach the guest a line at a time", e);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
