package dev.sluice.models.vtd;

import dev.sluice.dma.DmaContext;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import dev.sluice.memory.Word;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// A unit with one device, whose table of three levels leads each of its first pages to the old
/// page, and what its guest can change that to.
///
/// ```
/// 0x00_0000  old page      0x00_3000  top table, leads to the directory
/// 0x00_1000  new page      0x00_4000  last table, old pages
/// 0x00_2000  root table    0x00_5000  last table, new pages
///                          0x00_6000  another top table, leads to
///                          0x00_7000  another directory, leads to the new pages
/// 0x10_0000  directory, leads to the old pages
/// 0x10_1000  context table
/// 0x10_2000  invalidation queue
/// ```
final class StressUnit {
  /// What a device reads in the old page.
  static final long OLD = 1;

  /// How many pages the device has.
  static final int PAGES = 34;

  private static final RequesterId DEVICE = RequesterId.of(0, 1, 0);
  private static final long DOMAIN = 5;
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final int COMMON_PAGES = 8;

  private static final long DIRECTORY = 0x10_0000;
  private static final long CONTEXT = 0x10_1000 + (DEVICE.value() & 0xFF) * 16L;
  private static final long QUEUE = 0x10_2000;
  private static final int OWN_BYTES = 0x3000;

  /// What no guest changes, the same for all.
  private static final MemorySegment COMMON = common();

  private final GuestMemory memory = new GuestMemory();
  private final VtdIommu iommu =
      new VtdIommu(VtdConfig.DEFAULT, memory, (_, _) -> {}, Runnable::run);
  private final DmaContext device;

  StressUnit() {
    memory.addRam(0, RamRegion.of(COMMON, true, () -> {}));
    memory.addRam(DIRECTORY, RamRegion.of(Arena.ofAuto().allocate(OWN_BYTES, 8), true, () -> {}));
    store(DIRECTORY, 0x4003);
    store(CONTEXT + 8, DOMAIN << 8 | 1);
    store(CONTEXT, 0x3001);
    iommu.writeRegister(0x20, 8, 0x2000);
    iommu.writeRegister(0x18, 4, 1L << 30);
    iommu.writeRegister(0x18, 4, 1L << 31);
    device = DmaContext.behind(iommu, memory, DEVICE);
  }

  private static MemorySegment common() {
    MemorySegment bytes =
        Arena.global().allocate(COMMON_PAGES * GuestMemory.PAGE, GuestMemory.PAGE);
    put(bytes, 0x0000, OLD);
    put(bytes, 0x1000, OLD + 1);
    put(bytes, 0x2000, 0x10_1001);
    put(bytes, 0x3000, DIRECTORY | 3);
    put(bytes, 0x6000, 0x7003);
    put(bytes, 0x7000, 0x5003);
    for (int page = 0; page < PAGES; page++) {
      put(bytes, 0x4000 + page * 8L, 0x0003);
      put(bytes, 0x5000 + page * 8L, 0x1003);
    }
    return bytes;
  }

  private static void put(MemorySegment bytes, long offset, long value) {
    bytes.set(ValueLayout.JAVA_LONG.withOrder(LITTLE), offset, value);
  }

  private void store(long address, long value) {
    memory.store(address, 8, LITTLE, value);
  }

  // --- the device

  /// What the device reads in one of its pages.
  long load(int page) {
    Word word = new Word();
    if (device.load(page * GuestMemory.PAGE, 8, LITTLE, word) != null) {
      throw new IllegalStateException("refused");
    }
    return word.asLong();
  }

  // --- the guest

  /// Puts another last table into the directory and has 64 pages invalidated, with IH clear.
  ///
  /// @return whether that is complete
  boolean replaceTable() {
    store(DIRECTORY, 0x5003);
    iommu.writeRegister(0x200, 8, 6);
    iommu.writeRegister(0x208, 8, 1L << 63 | 3L << 60 | DOMAIN << 32);
    return iommu.readRegister(0x208, 8) >= 0;
  }

  /// Has the queue ready for [#replaceTopTable].
  StressUnit queued() {
    store(QUEUE, 0x31 | DOMAIN << 16 | (long) DEVICE.value() << 32);
    store(QUEUE + 16, 0x22 | DOMAIN << 16);
    iommu.writeRegister(0x90, 8, QUEUE);
    iommu.writeRegister(0x18, 4, 1L << 31 | 1L << 26);
    return this;
  }

  /// Puts another top table into the context entry and has that invalidated, and then the domain,
  /// without a wait in between.
  void replaceTopTable() {
    store(CONTEXT, 0x6001);
    iommu.writeRegister(0x88, 8, 32);
  }
}
