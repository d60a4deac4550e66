package dev.sluice.vm.kit.linux;

import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/// Cuts the bytes of a serial line into lines of printable text.
///
/// The bytes are the guest's: a line ends at [#MAX_LINE] bytes at the latest, and what a terminal
/// would act upon (escape sequences and other control characters) becomes `?`, so that a line can
/// be shown to a user and kept in memory. Carriage returns before the line's end vanish.
public final class LineSplitter {
  /// Longest line in bytes. The longest line of a kernel's log is about 1 KiB (`LOG_LINE_MAX`).
  public static final int MAX_LINE = 4096;

  private final Consumer<String> lines;
  private final byte[] buffer = new byte[MAX_LINE];
  private int length;

  /// @param lines gets each line without its end
  public LineSplitter(Consumer<String> lines) {
    this.lines = lines;
  }

  /// Takes the next `count` bytes.
  public void accept(byte[] bytes, int count) {
    for (int i = 0; i < count; i++) {
      if (bytes[i] == '\n') {
        emit();
      } else {
        if (length == MAX_LINE) {
          emit();
        }
        buffer[length++] = bytes[i];
      }
    }
  }

  /// The end of the stream: a last line without an end is a line too.
  public void end() {
    if (length > 0) {
      emit();
    }
  }

  private void emit() {
    while (length > 0 && buffer[length - 1] == '\r') {
      length--;
    }
    for (int i = 0; i < length; i++) {
      boolean printable = (buffer[i] >= ' ' && buffer[i] < 0x7f) || buffer[i] == '\t';
      if (!printable) {
        buffer[i] = '?';
      }
    }
    String line = new String(buffer, 0, length, StandardCharsets.US_ASCII);
    length = 0;
    lines.accept(line);
  }
}
