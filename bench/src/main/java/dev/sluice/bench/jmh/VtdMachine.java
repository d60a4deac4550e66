package dev.sluice.bench.jmh;

import dev.sluice.dma.DmaContext;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.RamRegion;
import dev.sluice.memory.Word;
import dev.sluice.models.vtd.VtdConfig;
import dev.sluice.models.vtd.VtdIommu;
import java.nio.ByteOrder;

/// Guest memory, and requesters behind a VT-d with 4-level tables in it, all in one domain.
///
/// ```
/// 0x0000_0000  root table, context table, page tables
/// 0x0100_0000  the pages, scattered
/// ```
final class VtdMachine {
  /// How many small pages there are.
  static final int PAGES = 4096;

  /// Guest-physical address of the first page.
  static final long RAM_PAGES = 0x100_0000;

  /// I/O virtual address of the first small page.
  static final long SMALL = 0x12_3400_0000L;

  /// The small pages are there a second time with this bit in their I/O virtual address.
  static final long ALIAS = (long) PAGES << 12;

  /// The first small pages are there a third time so far above: their table of the last level takes
  /// turns with the first one in a slot of the PDE-cache.
  static final long FAR = 1 << 30;

  private static final int FAR_PAGES = 64;

  /// I/O virtual address of the first large page.
  static final long LARGE = 0x40_0000_0000L;

  /// The domain id, which is the tag of the address space.
  static final int DOMAIN = 7;

  private static final int LARGE_PAGES = 64;
  private static final int LARGE_SHIFT = 21;
  private static final int LARGE_FRAMES = (PAGES << 12) >>> LARGE_SHIFT;
  private static final long RAM_BYTES = 32L << 20;
  private static final long ROOT = 0x1000;
  private static final long CONTEXT = 0x2000;
  private static final long TABLES = 0x3000;

  private static final long PRESENT = 1;
  private static final long READ_WRITE = 3;
  private static final long LARGE_PAGE = 1 << 7;
  private static final long FOUR_LEVELS = 2;

  private static final long GCMD = 0x18;
  private static final long RTADDR = 0x20;
  private static final long TRANSLATION_ENABLE = 1L << 31;
  private static final long SET_ROOT = 1L << 30;

  private final GuestMemory memory = new GuestMemory();
  private final VtdIommu iommu;
  private final long top;
  private long nextTable = TABLES;

  VtdMachine() {
    memory.addRam(0, RamRegion.allocate(RAM_BYTES));
    iommu = new VtdIommu(VtdConfig.DEFAULT, memory, (_, _) -> {}, Runnable::run);
    store(ROOT, CONTEXT | PRESENT);
    top = newTable();
    for (int i = 0; i < PAGES; i++) {
      map(SMALL + ((long) i << 12), 12, scattered(i));
      map(SMALL + ALIAS + ((long) i << 12), 12, scattered(i));
    }
    for (int i = 0; i < FAR_PAGES; i++) {
      map(SMALL + FAR + ((long) i << 12), 12, scattered(i));
    }
    for (int i = 0; i < LARGE_PAGES; i++) {
      long frame = RAM_PAGES + ((long) (i % LARGE_FRAMES) << LARGE_SHIFT);
      map(LARGE + ((long) i << LARGE_SHIFT), LARGE_SHIFT, frame);
    }
    iommu.writeRegister(RTADDR, 8, ROOT);
    iommu.writeRegister(GCMD, 4, SET_ROOT);
    iommu.writeRegister(GCMD, 4, TRANSLATION_ENABLE);
  }

  VtdIommu iommu() {
    return iommu;
  }

  GuestMemory memory() {
    return memory;
  }

  /// The requester id of device `i`, 0 to 247.
  static RequesterId requester(int i) {
    return RequesterId.of(0, 1 + i / 8, i % 8);
  }

  /// Adds a device to the domain.
  DmaContext addDevice(int i) {
    RequesterId requester = requester(i);
    long entry = CONTEXT + 16L * (requester.value() & 0xFF);
    store(entry + 8, ((long) DOMAIN << 8) | FOUR_LEVELS);
    store(entry, top | PRESENT);
    return DmaContext.behind(iommu, memory, requester);
  }

  /// The guest-physical address of small page `i`: an odd multiple keeps neighbours apart.
  static long scattered(int i) {
    return RAM_PAGES + ((i * 2_654_435L % PAGES) << 12);
  }

  private long newTable() {
    long made = nextTable;
    nextTable += 4096;
    return made;
  }

  private void map(long iova, int pageShift, long physical) {
    long table = top;
    for (int shift = 39; shift > pageShift; shift -= 9) {
      long slot = table + 8 * ((iova >>> shift) & 511);
      long next = load(slot);
      if (next == 0) {
        next = newTable() | READ_WRITE;
        store(slot, next);
      }
      table = next & ~0xFFFL;
    }
    long large = pageShift > 12 ? LARGE_PAGE : 0;
    store(table + 8 * ((iova >>> pageShift) & 511), physical | large | READ_WRITE);
  }

  private long load(long address) {
    var word = new Word();
    require(memory.load(address, 8, ByteOrder.LITTLE_ENDIAN, word));
    return word.asLong();
  }

  private void store(long address, long value) {
    require(memory.store(address, 8, ByteOrder.LITTLE_ENDIAN, value));
  }

  private static void require(MemoryStatus status) {
    if (status != MemoryStatus.OK) {
      throw new IllegalStateException("the benchmark's own tables: " + status);
    }
  }
}
