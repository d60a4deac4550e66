package dev.sluice.pci;

/// One base address register of a function and what is behind it (PCIe 7.5.1.2.1).
///
/// @param index the first base address register it uses, 0 to 5; a [Kind#MEMORY_64] uses the next
///   one too
/// @param kind the address space and width
/// @param size bytes, a power of two: at least 16 in memory space, 4 to 256 in I/O space
/// @param prefetchable whether reads have no side effect; memory space only
/// @param handler the registers behind it
public record Bar(int index, Kind kind, long size, boolean prefetchable, BarHandler handler) {
  /// How many base address registers a type 0 header has.
  public static final int COUNT = 6;

  private static final long LARGEST_32_BIT = 1L << 31;
  private static final long LARGEST_IO = 256;

  /// The address space of a BAR and the width of its address.
  public enum Kind {
    /// Memory space, below 4 GiB.
    MEMORY_32,
    /// Memory space, anywhere.
    MEMORY_64,
    /// I/O space.
    IO
  }

  /// Checks what PCIe 7.5.1.2.1 asks of a BAR.
  ///
  /// @throws IllegalArgumentException if the index, the size or the combination is not possible
  public Bar {
    int last = kind == Kind.MEMORY_64 ? COUNT - 2 : COUNT - 1;
    if (index < 0 || index > last) {
      throw new IllegalArgumentException(
          "BAR index " + index + " is not in 0.." + last + " for " + kind);
    }
    long smallest = kind == Kind.IO ? 4 : 16;
    long largest =
        switch (kind) {
          case IO -> LARGEST_IO;
          case MEMORY_32 -> LARGEST_32_BIT;
          case MEMORY_64 -> 1L << 62;
        };
    if (Long.bitCount(size) != 1 || size < smallest || size > largest) {
      throw new IllegalArgumentException(
          "BAR size "
              + size
              + " is not a power of two in "
              + smallest
              + ".."
              + largest
              + " for "
              + kind);
    }
    if (prefetchable && kind == Kind.IO) {
      throw new IllegalArgumentException("an I/O BAR cannot be prefetchable");
    }
  }

  /// A memory BAR below 4 GiB whose reads may have side effects.
  public static Bar memory32(int index, long size, BarHandler handler) {
    return new Bar(index, Kind.MEMORY_32, size, false, handler);
  }

  /// A memory BAR anywhere, using registers `index` and `index + 1`, whose reads may have side
  /// effects.
  public static Bar memory64(int index, long size, BarHandler handler) {
    return new Bar(index, Kind.MEMORY_64, size, false, handler);
  }

  /// The value of the read-only low bits: space, width and prefetchability.
  int typeBits() {
    return switch (kind) {
      case IO -> 0b01;
      case MEMORY_32 -> prefetchable ? 0b1000 : 0;
      case MEMORY_64 -> prefetchable ? 0b1100 : 0b0100;
    };
  }
}
