package dev.sluice.testkit.dart;

/// Linux's driver of the U3 and U4 DART (`arch/powerpc/sysdev/dart_iommu.c`), without locks, as one
/// processor runs it.
public final class U3DartDriver {
  /// Bytes of the table that Linux always has: entries for 2 GiB.
  public static final int TABLE_BYTES = 1 << 21;

  private static final int CNTL = 0x00;
  private static final int BASE_U4 = 0x10;
  private static final int SIZE_U4 = 0x20;
  private static final long U3_ENABLE = 0x200;
  private static final long U3_FLUSH = 0x400;
  private static final int U3_BASE_SHIFT = 12;
  private static final long U3_SIZE = 0x1FF;
  private static final long U4_ENABLE = 0x8000_0000L;
  private static final long U4_IONE = 0x4000_0000L;
  private static final long U4_FLUSH = 0x2000_0000L;
  private static final long U4_IONE_PAGE = 0x07FF_FFFFL;
  private static final long U4_SIZE = 0x1FFF;
  private static final long VALID = 0x8000_0000L;
  private static final long REAL_PAGE = 0x00FF_FFFFL;
  private static final int PAGE_SHIFT = 12;
  private static final int ENTRY = 4;

  /// log2 of the polls after which Linux panics.
  private static final int PATIENCE = 4;

  private final Registers registers;
  private final boolean u4;
  private final DriverMemory memory;
  private final Runnable waiting;
  private final long table;
  private final long empty;
  private boolean dirty;

  /// Allocates table and dummy page; touches no register.
  ///
  /// @param u4 whether the device tree says `u4-dart`
  /// @param waiting runs after each read of the control register that finds a flush not complete
  public U3DartDriver(Registers registers, boolean u4, DriverMemory memory, Runnable waiting) {
    this.registers = registers;
    this.u4 = u4;
    this.memory = memory;
    this.waiting = waiting;
    table = memory.table(TABLE_BYTES);
    empty = VALID | (memory.table(1 << PAGE_SHIFT) >> PAGE_SHIFT & REAL_PAGE);
  }

  /// `dart_init`: every entry leads to the dummy page, then the DART is enabled and flushed.
  ///
  /// @throws GuestPanic when the flush does not end
  public void init() {
    for (long at = 0; at < TABLE_BYTES; at += ENTRY) {
      memory.storeWord(table + at, empty);
    }
    long base = table >> PAGE_SHIFT;
    long size = TABLE_BYTES >> PAGE_SHIFT;
    if (u4) {
      registers.write(BASE_U4, base);
      registers.write(SIZE_U4, size & U4_SIZE);
      registers.write(CNTL, U4_ENABLE);
    } else {
      registers.write(CNTL, U3_ENABLE | base << U3_BASE_SHIFT | (size & U3_SIZE));
    }
    invalidateAll();
  }

  /// Maps consecutive pages: `dart_build`, then `dart_flush`, as the kernel calls them.
  ///
  /// @param iova a multiple of 4 KiB
  /// @param address guest-physical, likewise
  /// @throws GuestPanic when a flush does not end
  public void map(long iova, long address, int pages) {
    long index = iova >> PAGE_SHIFT;
    for (int i = 0; i < pages; i++) {
      memory.storeWord(
          table + (index + i) * ENTRY, VALID | ((address >> PAGE_SHIFT) + i & REAL_PAGE));
    }
    if (u4) {
      for (int i = 0; i < pages; i++) {
        invalidateOne(index + i);
      }
    } else {
      dirty = true;
    }
    flush();
  }

  /// Unmaps consecutive pages: `dart_free`, then `dart_flush`. The TLB is flushed only if something
  /// was mapped since it last was, so a device still reaches the pages.
  public void unmap(long iova, int pages) {
    for (int i = 0; i < pages; i++) {
      memory.storeWord(table + ((iova >> PAGE_SHIFT) + i) * ENTRY, empty);
    }
    flush();
  }

  private void flush() {
    if (dirty) {
      invalidateAll();
      dirty = false;
    }
  }

  /// `dart_tlb_invalidate_all`: sets the bit, and clears it and sets it again, each time with twice
  /// the patience.
  ///
  /// @throws GuestPanic after 31 polls
  public void invalidateAll() {
    long bit = u4 ? U4_FLUSH : U3_FLUSH;
    for (int limit = 0; ; limit++) {
      registers.write(CNTL, registers.read(CNTL) | bit);
      if (clears(bit, 1 << limit)) {
        return;
      }
      if (limit == PATIENCE) {
        throw new GuestPanic("DART: TLB did not flush after waiting a long time. Buggy U3 ?");
      }
      registers.write(CNTL, registers.read(CNTL) & ~bit);
    }
  }

  /// `dart_tlb_invalidate_one`: asks once, and waits a little longer each time.
  ///
  /// @throws GuestPanic after 31 polls
  private void invalidateOne(long page) {
    registers.write(CNTL, U4_ENABLE | U4_IONE | (page & U4_IONE_PAGE));
    for (int limit = 0; !clears(U4_IONE, 1 << limit); limit++) {
      if (limit == PATIENCE) {
        throw new GuestPanic("DART: TLB did not flush after waiting a long time. Buggy U4 ?");
      }
    }
  }

  private boolean clears(long bit, int polls) {
    for (int i = 0; i < polls; i++) {
      if ((registers.read(CNTL) & bit) == 0) {
        return true;
      }
      waiting.run();
    }
    return false;
  }
}
