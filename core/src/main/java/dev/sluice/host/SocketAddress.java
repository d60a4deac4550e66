package dev.sluice.host;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// `struct sockaddr_un`, the address of a UNIX socket:
///
/// ```
///  0        2                          110
///  | family | path, NUL-terminated     |
/// ```
final class SocketAddress {
  /// Bytes of a path that fit beside its NUL.
  static final int LONGEST_PATH = 107;

  private static final long PATH = 2;

  private SocketAddress() {}

  /// @throws IOException when the path is too long for the kernel
  static MemorySegment of(Path path, Arena arena) throws IOException {
    byte[] bytes = path.toString().getBytes(StandardCharsets.UTF_8);
    if (bytes.length > LONGEST_PATH) {
      throw new IOException(
          "socket path has "
              + bytes.length
              + " bytes, the kernel takes "
              + LONGEST_PATH
              + " at the most; choose a shorter directory: "
              + path);
    }
    MemorySegment address = arena.allocate(PATH + bytes.length + 1, Short.BYTES);
    address.set(JAVA_SHORT, 0, (short) Libc.AF_UNIX);
    MemorySegment.copy(bytes, 0, address, JAVA_BYTE, PATH, bytes.length);
    return address;
  }
}
