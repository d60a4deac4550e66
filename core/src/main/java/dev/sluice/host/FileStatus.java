package dev.sluice.host;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// What the kernel knows about an open file, as far as a mapping needs it.
///
/// `struct statx`, 256 bytes, which unlike `struct stat` is the same on every architecture:
///
/// ```
///  0      4         8       ...   28     30    ...   40      48   ...  256
///  | mask | blksize |             | mode |           | size  |
/// ```
///
/// @param regular whether it is a regular file (a memfd and a file of hugetlbfs are)
/// @param size bytes; of a regular file only
/// @param blockSize the preferred block; on hugetlbfs, the size of a huge page
record FileStatus(boolean regular, long size, long blockSize) {
  private static final long BYTES = 256;
  private static final long BLKSIZE = 4;
  private static final long MODE = 28;
  private static final long SIZE = 40;
  private static final MemorySegment NO_PATH = Arena.global().allocateFrom("");

  static FileStatus of(Fd fd) throws SystemCallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment statx = arena.allocate(BYTES, Long.BYTES);
      int failure =
          Libc.statx(
              fd.number(), NO_PATH, Libc.AT_EMPTY_PATH, Libc.STATX_TYPE | Libc.STATX_SIZE, statx);
      if (failure < 0) {
        throw new SystemCallException("statx", Errno.of(-failure), "look at " + fd);
      }
      boolean regular = (statx.get(JAVA_SHORT, MODE) & Libc.S_IFMT) == Libc.S_IFREG;
      return new FileStatus(
          regular,
          statx.get(JAVA_LONG, SIZE),
          Integer.toUnsignedLong(statx.get(JAVA_INT, BLKSIZE)));
    }
  }
}
