package dev.sluice.models.vtd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.Word;
import java.nio.ByteOrder;

/// Builds VT-d tables in guest memory as a guest's driver does, from numbers of its own: it shares
/// nothing with the classes that read them, so that a mistake there cannot hide here.
final class GuestTables {
  static final long READ = 1;
  static final long WRITE = 2;
  static final long READ_WRITE = 3;
  static final long LARGE = 0x80;

  static final long TYPE_TRANSLATED = 0;
  static final long TYPE_DEVICE_TLB = 1;
  static final long TYPE_PASS_THROUGH = 2;
  static final long WIDTH_39 = 1;
  static final long WIDTH_48 = 2;

  private final GuestMemory memory;
  private long nextFree;
  private final long rootTable;

  /// @param firstFree where pages for tables are taken from, upwards
  GuestTables(GuestMemory memory, long firstFree) {
    this.memory = memory;
    this.nextFree = firstFree;
    this.rootTable = page();
  }

  long rootTable() {
    return rootTable;
  }

  /// A fresh zeroed page.
  long page() {
    long page = nextFree;
    nextFree += 4096;
    assertThat(memory.fill(page, 4096, (byte) 0)).isEqualTo(4096);
    return page;
  }

  long load(long address) {
    Word word = new Word();
    assertThat(memory.load(address, 8, ByteOrder.LITTLE_ENDIAN, word)).isEqualTo(MemoryStatus.OK);
    return word.asLong();
  }

  void store(long address, long value) {
    assertThat(memory.store(address, 8, ByteOrder.LITTLE_ENDIAN, value)).isEqualTo(MemoryStatus.OK);
  }

  long rootEntryAddress(RequesterId requester) {
    return rootTable + requester.bus() * 16L;
  }

  void rootEntry(RequesterId requester, long low, long high) {
    store(rootEntryAddress(requester), low);
    store(rootEntryAddress(requester) + 8, high);
  }

  /// Where the requester's context entry is; makes the context table if there is none.
  long contextEntryAddress(RequesterId requester) {
    long low = load(rootEntryAddress(requester));
    if (low == 0) {
      low = page() + 1;
      rootEntry(requester, low, 0);
    }
    return (low & -4096L) + (requester.value() % 256) * 16L;
  }

  void contextEntry(RequesterId requester, long low, long high) {
    long address = contextEntryAddress(requester);
    store(address + 8, high);
    store(address, low);
  }

  void context(RequesterId requester, long type, long table, long width, int domain) {
    contextEntry(requester, 1 + type * 4 + table, width + domain * 256L);
  }

  /// Gives the requester a fresh second-stage table.
  ///
  /// @return its top table
  long translated(RequesterId requester, long width, int domain) {
    long top = page();
    context(requester, TYPE_TRANSLATED, top, width, domain);
    return top;
  }

  /// Where the entry of `iova` at `level` is; makes the tables above it with full rights.
  long entryAddress(long top, int levels, int level, long iova) {
    long table = top;
    for (int at = levels; at > level; at--) {
      long slot = table + ((iova >> (12 + 9 * (at - 1))) % 512) * 8;
      if (load(slot) == 0) {
        store(slot, page() + READ_WRITE);
      }
      table = load(slot) & 0x000F_FFFF_FFFF_F000L;
    }
    return table + ((iova >> (12 + 9 * (level - 1))) % 512) * 8;
  }

  /// Maps a page of 4 KiB, 2 MiB or 1 GiB by its level.
  void map(long top, int levels, int level, long iova, long address, long rights) {
    store(entryAddress(top, levels, level, iova), address + rights + (level > 1 ? LARGE : 0));
  }

  void unmap(long top, int levels, int level, long iova) {
    store(entryAddress(top, levels, level, iova), 0);
  }
}
