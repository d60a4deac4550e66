package dev.sluice.vm.kit.linux;

import java.util.ArrayList;
import java.util.List;

/// A range of the disk that the guest fills with random bytes, flushes and reads back.
///
/// @param offset first byte, a multiple of `block`
/// @param bytes length, a multiple of `block`
/// @param block bytes a request of the guest's `dd`, a power of two from 512 to 1 MiB
/// @param mode whether the guest's page cache lies between
public record DiskWrite(long offset, int bytes, int block, Mode mode) {
  /// The way of the bytes through the guest.
  public enum Mode {
    /// `O_DIRECT`: each request becomes commands of exactly its size.
    DIRECT,
    /// Through the page cache, then `fsync`: the kernel decides the commands.
    BUFFERED
  }

  private static final int MIN_BLOCK = 512;
  private static final int MAX_BLOCK = 1 << 20;

  /// @throws IllegalArgumentException if a number is not as described above
  public DiskWrite {
    if (block < MIN_BLOCK || block > MAX_BLOCK || Integer.bitCount(block) != 1) {
      throw new IllegalArgumentException("block of " + block + " bytes");
    }
    if (offset < 0 || offset % block != 0) {
      throw new IllegalArgumentException("offset " + offset + " with blocks of " + block);
    }
    if (bytes <= 0 || bytes % block != 0) {
      throw new IllegalArgumentException(bytes + " bytes with blocks of " + block);
    }
  }

  /// Four ranges with blocks from 512 bytes to 1 MiB inside `[offset, offset + bytes)`: single
  /// sectors, pages through the page cache, requests of several pages and requests with a whole PRP
  /// list. Fewer when the region is small; none when it is under 8 KiB.
  ///
  /// @param offset first byte of the region, a multiple of 1 MiB
  /// @param bytes length of the region
  public static List<DiskWrite> plan(long offset, long bytes) {
    List<DiskWrite> writes = new ArrayList<>();
    if (bytes >= 8 << 10) {
      writes.add(new DiskWrite(offset, 8 << 10, 512, Mode.DIRECT));
    }
    if (bytes >= 128 << 10) {
      writes.add(new DiskWrite(offset + (64 << 10), 64 << 10, 4096, Mode.BUFFERED));
    }
    if (bytes >= 512 << 10) {
      writes.add(new DiskWrite(offset + (256 << 10), 256 << 10, 64 << 10, Mode.DIRECT));
    }
    if (bytes >= 4 << 20) {
      writes.add(new DiskWrite(offset + (2 << 20), 2 << 20, 1 << 20, Mode.DIRECT));
    }
    return List.copyOf(writes);
  }

  /// As the guest's parameters file has it: `offset,bytes,block,mode`.
  String parameter() {
    return offset + "," + bytes + "," + block + "," + (mode == Mode.DIRECT ? "direct" : "buffered");
  }
}
