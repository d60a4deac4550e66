package dev.sluice.pci.nvme;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.ScatterGatherList;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Physical Region Page entries (NVMe 1.4, 4.3): the address of a memory page, or of bytes within
/// one.
///
/// ```
///  63                               n+1 n              2 1  0
/// +------------------------------------+----------------+----+
/// |       page base address            |     offset     | 00 |     n from CC.MPS
/// +------------------------------------+----------------+----+
/// ```
///
/// PRP1 may have an offset. What is left after its page is in the page PRP2, or in the pages of the
/// list at PRP2. The list may begin within a page; when a page of it does not suffice, its last
/// entry leads to the next page, which it must name without an offset, so that each further page of
/// the list brings the walk nearer to its end.
final class PrpWalker {
  private static final ValueLayout.OfLong ENTRY =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int ENTRY_BYTES = 8;

  private final DmaContext dma;
  private final int pageSize;
  private final MemorySegment scratch;
  private final ScatterGatherList into;

  /// A walker for one command.
  ///
  /// @param pageSize bytes of a memory page
  /// @param scratch room for a list: 8 bytes for each page of the longest transfer
  /// @param into receives the pages; those that follow one another become one run
  PrpWalker(DmaContext dma, int pageSize, MemorySegment scratch, ScatterGatherList into) {
    this.dma = dma;
    this.pageSize = pageSize;
    this.scratch = scratch;
    this.into = into;
  }

  /// Resolves `length` bytes, 1 or more.
  Status walk(long prp1, long prp2, long length) {
    if ((prp1 & 0b11) != 0) {
      return Status.PRP_OFFSET_INVALID;
    }
    long first = Math.min(length, pageSize - offset(prp1));
    into.add(prp1, first);
    long left = length - first;
    if (left == 0) {
      return Status.SUCCESS;
    }
    if (left > pageSize) {
      return walkList(prp2, left);
    }
    if (offset(prp2) != 0) {
      return Status.PRP_OFFSET_INVALID;
    }
    into.add(prp2, left);
    return Status.SUCCESS;
  }

  private Status walkList(long firstList, long length) {
    if ((firstList & (ENTRY_BYTES - 1)) != 0) {
      return Status.PRP_OFFSET_INVALID;
    }
    long list = firstList;
    long left = length;
    while (left > 0) {
      int slots = (pageSize - offset(list)) / ENTRY_BYTES;
      int pages = (int) ((left + pageSize - 1) / pageSize);
      boolean chained = pages > slots;
      int entries = Math.min(pages, slots);
      if (dma.read(list, scratch, 0, (long) entries * ENTRY_BYTES) != null) {
        return Status.DATA_TRANSFER_ERROR;
      }
      int last = entries - 1;
      for (int i = 0; i < entries; i++) {
        long entry = scratch.get(ENTRY, (long) i * ENTRY_BYTES);
        if (offset(entry) != 0) {
          return Status.PRP_OFFSET_INVALID;
        }
        if (chained && i == last) {
          list = entry;
        } else {
          long run = Math.min(left, pageSize);
          into.add(entry, run);
          left -= run;
        }
      }
    }
    return Status.SUCCESS;
  }

  private int offset(long address) {
    return (int) address & (pageSize - 1);
  }
}
