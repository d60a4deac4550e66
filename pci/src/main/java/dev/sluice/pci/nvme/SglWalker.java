package dev.sluice.pci.nvme;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.ScatterGatherList;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Scatter gather lists (NVMe 1.4, 4.4): segments of descriptors, each but the last ending in a
/// descriptor of the next.
final class SglWalker {
  /// The most descriptors of one command, those of segments included: a segment that leads to
  /// itself ends here. Twice what a transfer of the largest size in single pages needs, with some
  /// room for segments.
  static final int MAX_DESCRIPTORS = 2 * (DataPointer.MAX_TRANSFER >>> 12) + 64;

  /// Descriptors that are read at a time.
  private static final int BATCH = 256;

  private static final ValueLayout.OfLong QWORD =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final DmaContext dma;
  private final MemorySegment scratch;
  private final ScatterGatherList into;
  private long left;

  /// A walker for one command.
  ///
  /// @param scratch room for 4 KiB
  /// @param into receives the data blocks; those that follow one another become one run
  SglWalker(DmaContext dma, MemorySegment scratch, ScatterGatherList into) {
    this.dma = dma;
    this.scratch = scratch;
    this.into = into;
  }

  /// Resolves `length` bytes, which is what the list has to describe.
  Status walk(SglDescriptor first, long length) {
    left = length;
    Status status =
        switch (first.type()) {
          case DATA_BLOCK -> data(first);
          case SEGMENT, LAST_SEGMENT -> segments(first);
          case UNSUPPORTED -> Status.SGL_DESCRIPTOR_TYPE_INVALID;
        };
    return status == Status.SUCCESS && left > 0 ? Status.DATA_SGL_LENGTH_INVALID : status;
  }

  private Status data(SglDescriptor block) {
    if (block.length() > left) {
      return Status.DATA_SGL_LENGTH_INVALID;
    }
    into.add(block.address(), block.length());
    left -= block.length();
    return Status.SUCCESS;
  }

  private Status segments(SglDescriptor first) {
    SglDescriptor segment = first;
    long seen = 1;
    for (; ; ) {
      if (segment.length() == 0
          || segment.length() % SglDescriptor.SIZE != 0
          || segment.address() % Long.BYTES != 0) {
        return Status.INVALID_SGL_SEGMENT_DESCRIPTOR;
      }
      long count = segment.length() / SglDescriptor.SIZE;
      seen += count;
      if (seen > MAX_DESCRIPTORS) {
        return Status.INVALID_NUMBER_OF_SGL_DESCRIPTORS;
      }
      boolean last = segment.type() == SglDescriptor.Type.LAST_SEGMENT;
      int blocks = (int) count - (last ? 0 : 1);
      Status status = blocks(segment.address(), blocks);
      if (status != Status.SUCCESS || last) {
        return status;
      }
      long next = segment.address() + (long) blocks * SglDescriptor.SIZE;
      if (dma.read(next, scratch, 0, SglDescriptor.SIZE) != null) {
        return Status.DATA_TRANSFER_ERROR;
      }
      segment = descriptor(0);
      switch (segment.type()) {
        case SEGMENT, LAST_SEGMENT -> {}
        case DATA_BLOCK -> {
          return Status.INVALID_SGL_SEGMENT_DESCRIPTOR;
        }
        case UNSUPPORTED -> {
          return Status.SGL_DESCRIPTOR_TYPE_INVALID;
        }
      }
    }
  }

  /// Takes `count` descriptors from `address` on, which have to be data blocks.
  private Status blocks(long address, int count) {
    for (int done = 0; done < count; done += BATCH) {
      int batch = Math.min(count - done, BATCH);
      long at = address + (long) done * SglDescriptor.SIZE;
      if (dma.read(at, scratch, 0, (long) batch * SglDescriptor.SIZE) != null) {
        return Status.DATA_TRANSFER_ERROR;
      }
      for (int i = 0; i < batch; i++) {
        SglDescriptor descriptor = descriptor(i);
        Status status =
            switch (descriptor.type()) {
              case DATA_BLOCK -> data(descriptor);
              case SEGMENT, LAST_SEGMENT -> Status.INVALID_SGL_SEGMENT_DESCRIPTOR;
              case UNSUPPORTED -> Status.SGL_DESCRIPTOR_TYPE_INVALID;
            };
        if (status != Status.SUCCESS) {
          return status;
        }
      }
    }
    return Status.SUCCESS;
  }

  private SglDescriptor descriptor(int index) {
    long at = (long) index * SglDescriptor.SIZE;
    return new SglDescriptor(scratch.get(QWORD, at), scratch.get(QWORD, at + Long.BYTES));
  }
}
