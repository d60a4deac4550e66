package dev.sluice.vm.replay;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// The lines of a recording, one at a time and none longer than a trace line can be, so that no
/// file makes the replay grow. What is not printable ASCII becomes a question mark: a line may be
/// shown on a terminal.
final class TraceLines {
  /// QEMU's lines have 200 bytes at most, and a log may put a prefix before them.
  static final int MAX_BYTES = 4096;

  private static final int END = -1;
  private static final int DELETE = 0x7F;

  private final InputStream in;
  private final byte[] line = new byte[MAX_BYTES];
  private long number;
  private boolean ended;

  /// @param in buffered
  TraceLines(InputStream in) {
    this.in = in;
  }

  /// The number of the line that was returned last, from 1.
  long number() {
    return number;
  }

  /// Whether the line that was returned last had an end. Without one it is the last of the file,
  /// and may have been cut off.
  boolean ended() {
    return ended;
  }

  /// The next line without its end, or null.
  @Nullable String next() throws IOException, ReplayException {
    int length = 0;
    int read = in.read();
    if (read == END) {
      return null;
    }
    number++;
    while (read != END && read != '\n') {
      if (read == '\r') {
        read = in.read();
        continue;
      }
      if (length == MAX_BYTES) {
        throw new ReplayException(
            "line %d has more than %d bytes: this is no trace".formatted(number, MAX_BYTES));
      }
      line[length++] = (byte) (read >= ' ' && read < DELETE ? read : '?');
      read = in.read();
    }
    ended = read == '\n';
    return new String(line, 0, length, StandardCharsets.US_ASCII);
  }
}
