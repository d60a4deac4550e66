package dev.sluice.host;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A part of an open file, mapped shared into this process.
///
/// The bytes are in a shared arena: [#close()] may be called while other threads access them; they
/// get an [IllegalStateException], never an unmapped page. When another process shortens the file,
/// accesses behind its new end throw [InternalError]. The descriptor is not needed after the
/// mapping is made.
public final class MappedFile implements AutoCloseable {
  private static final long PAGE = 4096;

  /// The largest huge page of x86-64 and of aarch64 with 4 KiB granule is 1 GiB; a larger "block"
  /// is no page size.
  private static final long LARGEST_PAGE = 1L << 30;

  private final Arena arena;
  private final MemorySegment segment;
  private final boolean lasting;

  private MappedFile(Arena arena, MemorySegment segment, boolean lasting) {
    this.arena = arena;
    this.segment = segment;
    this.lasting = lasting;
  }

  /// Maps `length` bytes from `offset` on. Neither has to be a multiple of the page size, not even
  /// of a huge page.
  ///
  /// @param writable whether the bytes may be written; they may always be read
  /// @throws SystemCallException EINVAL when the range is empty, negative or passes the end of the
  ///   file, EACCES when the descriptor does not give the right, ENODEV when the file cannot be
  ///   mapped, ENOMEM when the process has too many mappings
  @SuppressWarnings("MustBeClosed") // The mapping owns the arena and closes it.
  public static MappedFile map(Fd fd, long offset, long length, boolean writable)
      throws SystemCallException {
    String attempt = "map " + length + " bytes at offset " + offset + " of " + fd;
    if (offset < 0 || length <= 0 || offset + length < 0) {
      throw new SystemCallException("mmap", Errno.EINVAL, attempt);
    }
    FileStatus file = FileStatus.of(fd);
    if (file.regular() && offset + length > file.size()) {
      throw new SystemCallException(
          "mmap", Errno.EINVAL, attempt + ", which has " + file.size() + " bytes");
    }
    // Whole pages, huge ones on hugetlbfs, where munmap too refuses a part of one.
    long page = pageSize(file);
    long start = offset & -page;
    long mapped = (offset + length - start + page - 1) & -page;
    if (mapped <= 0) {
      throw new SystemCallException("mmap", Errno.EINVAL, attempt);
    }
    int protection = writable ? Libc.PROT_READ | Libc.PROT_WRITE : Libc.PROT_READ;
    long address = Libc.mmap(mapped, protection, Libc.MAP_SHARED, fd.number(), start);
    if (address < 0) {
      throw new SystemCallException("mmap", Errno.of((int) -address), attempt);
    }
    Arena arena = Arena.ofShared();
    MemorySegment pages =
        MemorySegment.ofAddress(address)
            .reinterpret(mapped, arena, whole -> Libc.munmap(whole.address(), mapped));
    MemorySegment segment = pages.asSlice(offset - start, length);
    boolean lasting = page == PAGE && isSealed(fd);
    return new MappedFile(arena, writable ? segment : segment.asReadOnly(), lasting);
  }

  /// Whether nobody can shorten the file. Files that know no seals answer EINVAL.
  private static boolean isSealed(Fd fd) {
    int seals = Libc.fcntl(fd.number(), Libc.F_GET_SEALS, 0);
    return seals >= 0 && (seals & Libc.F_SEAL_SHRINK) != 0;
  }

  private static long pageSize(FileStatus file) {
    long block = file.blockSize();
    boolean huge =
        file.regular() && block > PAGE && block <= LARGEST_PAGE && Long.bitCount(block) == 1;
    return huge ? block : PAGE;
  }

  /// The mapped bytes, exactly as many as were asked for.
  public MemorySegment segment() {
    return segment;
  }

  /// Whether every byte stays there until [#close()], whatever another process does: a memory file
  /// that is sealed against being shortened, and not of huge pages, of which there may be none left
  /// for a hole that somebody has punched.
  public boolean isLasting() {
    return lasting;
  }

  /// Unmaps.
  ///
  /// @throws IllegalStateException on a second call, or while a system call uses the bytes
  @Override
  public void close() {
    arena.close();
  }
}
