package dev.sluice.dma;

import java.util.Arrays;

/// Runs of I/O virtual addresses that a device treats as one stretch of bytes. Owned and reused by
/// one thread.
public final class ScatterGatherList {
  /// The most runs. Lists are built from what a guest writes, so there must be a limit; NVMe needs
  /// 513 for a transfer of 2 MiB.
  public static final int MAX_RUNS = 65_536;

  private long[] iovas = new long[16];
  private long[] lengths = new long[16];
  private int size;
  private long total;

  /// An empty list.
  public ScatterGatherList() {}

  /// Appends a run; a run that continues the last one extends it, one of no bytes is left out.
  ///
  /// @param length bytes, 0 or more
  /// @return this
  /// @throws IllegalStateException when there are [#MAX_RUNS] already
  public ScatterGatherList add(long iova, long length) {
    if (length < 0 || total + length < 0) {
      throw new IllegalArgumentException("bad length of a run: " + length);
    }
    if (length == 0) {
      return this;
    }
    int last = size - 1;
    if (size > 0 && iovas[last] + lengths[last] == iova && iova != 0) {
      lengths[last] += length;
    } else {
      if (size == MAX_RUNS) {
        throw new IllegalStateException("a scatter-gather list has at most " + MAX_RUNS + " runs");
      }
      if (size == iovas.length) {
        iovas = Arrays.copyOf(iovas, size * 2);
        lengths = Arrays.copyOf(lengths, size * 2);
      }
      iovas[size] = iova;
      lengths[size] = length;
      size++;
    }
    total += length;
    return this;
  }

  /// Empties the list; its storage stays.
  public void clear() {
    size = 0;
    total = 0;
  }

  /// Number of runs.
  public int size() {
    return size;
  }

  /// Bytes in all runs.
  public long totalLength() {
    return total;
  }

  /// I/O virtual address of the first byte of run `index`.
  public long iova(int index) {
    return iovas[checked(index)];
  }

  /// Bytes of run `index`.
  public long length(int index) {
    return lengths[checked(index)];
  }

  private int checked(int index) {
    if (index < 0 || index >= size) {
      throw new IndexOutOfBoundsException("run " + index + " of " + size);
    }
    return index;
  }
}
