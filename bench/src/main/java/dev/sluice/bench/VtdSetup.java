package dev.sluice.bench;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.TargetAbort;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.RamRegion;
import dev.sluice.memory.Word;
import dev.sluice.models.vtd.VtdConfig;
import dev.sluice.models.vtd.VtdIommu;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/// A requester behind a VT-d with 4-level tables in guest memory, and another without an IOMMU over
/// the same memory.
///
/// ```
/// 0x0000_0000  root table, context table, page tables
/// 0x0100_0000  the pages; page i is at I/O virtual address IOVA + i * 4 KiB, scattered over physical memory
/// ```
final class VtdSetup {
  static final long IOVA = 0x12_3400_0000L;
  static final int MAX_PAGES = 4096;

  private static final long RAM = 64L << 20;
  private static final long ROOT = 0x1000;
  private static final long CONTEXT = 0x2000;
  private static final long TABLES = 0x3000;
  private static final long PAGES = 0x100_0000;
  private static final int DOMAIN = 7;

  private static final long GCMD = 0x18;
  private static final long RTADDR = 0x20;
  private static final long TRANSLATION_ENABLE = 1L << 31;
  private static final long SET_ROOT = 1L << 30;

  private static final RequesterId REQUESTER = RequesterId.of(0, 5, 0);

  final GuestMemory memory = new GuestMemory();
  final VtdIommu iommu;
  final DmaContext translated;
  final DmaContext direct;
  private long nextTable = TABLES;

  VtdSetup() {
    memory.addRam(0, RamRegion.allocate(RAM));
    iommu = new VtdIommu(VtdConfig.DEFAULT, memory, (_, _) -> {}, Runnable::run);
    long top = table();
    store(ROOT, CONTEXT | 1);
    long entry = CONTEXT + 16L * (REQUESTER.value() & 0xFF);
    store(entry, top | 1);
    store(entry + 8, ((long) DOMAIN << 8) | 2);
    for (int i = 0; i < MAX_PAGES; i++) {
      map(top, IOVA + ((long) i << 12), physical(i));
    }
    iommu.writeRegister(RTADDR, 8, ROOT);
    iommu.writeRegister(GCMD, 4, SET_ROOT);
    iommu.writeRegister(GCMD, 4, TRANSLATION_ENABLE);
    translated = DmaContext.behind(iommu, memory, REQUESTER);
    direct = DmaContext.direct(memory, REQUESTER);
  }

  /// The guest-physical address of page `i`: an odd multiple keeps neighbours apart.
  static long physical(int i) {
    return PAGES + ((i * 2_654_435L % MAX_PAGES) << 12);
  }

  /// The tag of the requester's address space.
  static long tag() {
    return DOMAIN;
  }

  private long table() {
    long made = nextTable;
    nextTable += 4096;
    return made;
  }

  private void map(long top, long iova, long physical) {
    long at = top;
    for (int shift = 39; shift > 12; shift -= 9) {
      long slot = at + 8 * ((iova >>> shift) & 511);
      long next = load(slot);
      if (next == 0) {
        next = table() | 3;
        store(slot, next);
      }
      at = next & ~0xFFFL;
    }
    store(at + 8 * ((iova >>> 12) & 511), physical | 3);
  }

  private long load(long address) {
    var word = new Word();
    check(memory.load(address, 8, ByteOrder.LITTLE_ENDIAN, word));
    return word.asLong();
  }

  private void store(long address, long value) {
    check(memory.store(address, 8, ByteOrder.LITTLE_ENDIAN, value));
  }

  private static void check(MemoryStatus status) {
    if (status != MemoryStatus.OK) {
      throw new IllegalStateException("the benchmark's own tables: " + status);
    }
  }

  /// Fails the benchmark when an access was refused: a refusal is fast, and would look like a good
  /// number.
  static void require(@Nullable TargetAbort abort) {
    if (abort != null) {
      throw new IllegalStateException(abort.toString());
    }
  }
}
