package dev.sluice.testkit.dart;

import dev.sluice.memory.Access;
import dev.sluice.testkit.TableStore;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/// Linux's driver of Apple's own DARTs (`drivers/iommu/apple-dart.c`), without locks, as one
/// processor runs it.
public final class AppleDartDriver {
  private static final int PARAMS1 = 0x00;
  private static final int PARAMS2 = 0x04;
  private static final int T8110_PARAMS3 = 0x08;
  private static final int T8110_PARAMS4 = 0x0C;
  private static final int STREAM_COMMAND = 0x20;
  private static final int STREAM_SELECT = 0x34;
  private static final long COMMAND_BUSY = 1L << 2;
  private static final long COMMAND_INVALIDATE = 1L << 20;
  private static final int T8110_TLB_CMD = 0x80;
  private static final long T8110_BUSY = 1L << 31;
  private static final long T8110_FLUSH_STREAM = 1L << 8;
  private static final int T8110_ERROR_MASK = 0x104;
  private static final long T8110_FOUR_LEVEL = 1L << 3;
  private static final long ERROR_FLAG = 1L << 31;
  private static final long ALL = 0xFFFF_FFFFL;
  private static final int FOUR_LEVELS = 4;

  /// How often Linux reads a busy bit in its 100 µs, with a microsecond in between.
  private static final int POLLS = 100;

  private final AppleDartVariant variant;
  private final Registers registers;
  private final TableStore memory;
  private final Runnable waiting;
  private int pageShift;
  private int inputWidth;
  private int streams;
  private boolean bypass;
  private int timeouts;

  /// Touches no register.
  ///
  /// @param memory where tables come from
  /// @param waiting runs after each read of a command register that finds it busy
  public AppleDartDriver(
      AppleDartVariant variant, Registers registers, TableStore memory, Runnable waiting) {
    this.variant = variant;
    this.registers = registers;
    this.memory = memory;
    this.waiting = waiting;
  }

  // --- the device

  /// `apple_dart_probe`: reads the parameters and resets.
  ///
  /// @return false when the DART is locked, or its invalidation times out
  public boolean probe() {
    long params1 = registers.read(PARAMS1);
    long params2 = registers.read(PARAMS2);
    pageShift = (int) (params1 >> 24) & 0xF;
    bypass = (params2 & 1) != 0;
    if (variant == AppleDartVariant.T8110) {
      long params3 = registers.read(T8110_PARAMS3);
      long params4 = registers.read(T8110_PARAMS4);
      inputWidth = (int) (params3 >> 16) & 0x3F;
      streams = (int) params4 & 0x1FF;
    } else {
      inputWidth = 32;
      streams = 16;
    }
    return reset();
  }

  /// `apple_dart_hw_reset`.
  private boolean reset() {
    if ((registers.read(variant.lock) & variant.lockBit) != 0) {
      return false;
    }
    BitSet all = new BitSet();
    all.set(0, streams);
    block(all);
    for (int index = 0; index < variant.ttbrCount; index++) {
      clearTable(all, index);
    }
    for (int i = 0; 32 * i < streams; i++) {
      registers.write(variant.enableStreams + 4 * i, ALL);
    }
    registers.write(variant.error, registers.read(variant.error));
    if (variant == AppleDartVariant.T8110) {
      registers.write(T8110_ERROR_MASK, 0);
    }
    return invalidate(all);
  }

  /// log2 of a page's bytes, after [#probe].
  public int pageShift() {
    return pageShift;
  }

  /// Whether streams can go past the tables, after [#probe].
  public boolean supportsBypass() {
    return bypass;
  }

  /// Invalidations that Linux gave up on, and went on as if they were complete.
  public int timeouts() {
    return timeouts;
  }

  // --- domains

  /// An empty domain, which streams can be attached to.
  public Domain domain() {
    return new Domain(new AppleDartTables(memory, variant.firstFormat, pageShift, inputWidth));
  }

  /// Tables with the streams that use them.
  public final class Domain {
    private final AppleDartTables tables;
    private final BitSet attached = new BitSet();

    private Domain(AppleDartTables tables) {
      this.tables = tables;
    }

    /// `apple_dart_attach_dev`: has streams use this domain.
    public void attach(BitSet which) {
      attached.or(which);
      long[] tops = tables.tops();
      for (int index = 0; index < tops.length; index++) {
        long value = variant.ttbrOf(tops[index]);
        for (int stream : which.stream().toArray()) {
          registers.write(variant.ttbr(stream, index), value);
        }
      }
      for (int index = tops.length; index < variant.ttbrCount; index++) {
        clearTable(which, index);
      }
      long fourLevel = tables.levels() == FOUR_LEVELS ? T8110_FOUR_LEVEL : 0;
      control(which, variant.tcrEnabled | fourLevel);
      invalidate(which);
    }

    /// Streams that use another domain now, or none.
    public void detach(BitSet which) {
      attached.andNot(which);
    }

    /// Maps pages that are neighbours, then has the TLB forget that they were not.
    ///
    /// @return false when the invalidation timed out
    public boolean map(long iova, long address, int pages, Access access) {
      tables.map(iova, address, pages, access);
      return invalidate(attached);
    }

    /// Unmaps pages, then has the TLB forget them.
    ///
    /// @return false when the invalidation timed out; Linux gives the pages away even so
    public boolean unmap(long iova, int pages) {
      tables.unmap(iova, pages);
      return invalidate(attached);
    }
  }

  /// `apple_dart_hw_disable_dma`: has streams reach nothing.
  public void block(BitSet which) {
    control(which, 0);
  }

  /// `apple_dart_hw_enable_bypass`: has streams reach guest-physical memory.
  public void identity(BitSet which) {
    control(which, variant.tcrBypass);
  }

  private void control(BitSet which, long value) {
    for (int stream : which.stream().toArray()) {
      registers.write(variant.tcr(stream), value);
    }
  }

  private void clearTable(BitSet which, int index) {
    for (int stream : which.stream().toArray()) {
      registers.write(variant.ttbr(stream, index), 0);
    }
  }

  // --- invalidation

  /// `invalidate_tlb`, of a t8020 or a t8110.
  ///
  /// @return false when it timed out
  public boolean invalidate(BitSet which) {
    boolean done = true;
    if (variant == AppleDartVariant.T8110) {
      for (int stream = which.nextSetBit(0); done && stream >= 0; ) {
        registers.write(T8110_TLB_CMD, T8110_FLUSH_STREAM | stream);
        done = clears(T8110_TLB_CMD, T8110_BUSY);
        stream = which.nextSetBit(stream + 1);
      }
    } else {
      registers.write(STREAM_SELECT, which.isEmpty() ? 0 : which.toLongArray()[0]);
      registers.write(STREAM_COMMAND, COMMAND_INVALIDATE);
      done = clears(STREAM_COMMAND, COMMAND_BUSY);
    }
    if (!done) {
      timeouts++;
    }
    return done;
  }

  private boolean clears(int register, long bit) {
    for (int i = 0; i < POLLS; i++) {
      if ((registers.read(register) & bit) == 0) {
        return true;
      }
      waiting.run();
    }
    return (registers.read(register) & bit) == 0;
  }

  // --- faults

  /// The interrupt handler: reads the error and its address, and clears it.
  ///
  /// @return null when there is no error
  public @Nullable AppleDartFault handleInterrupt() {
    boolean t8110 = variant == AppleDartVariant.T8110;
    long error = registers.read(variant.error);
    long low = registers.read(t8110 ? 0x170 : 0x50);
    long high = registers.read(t8110 ? 0x174 : 0x54);
    if ((error & ERROR_FLAG) == 0) {
      return null;
    }
    int stream = (int) (t8110 ? error >> 20 & 0xFF : error >> 24 & 0xF);
    String name = t8110 ? t8110Name((int) error & 0x7FFF) : t8020Name((int) error & 0xFFF);
    registers.write(variant.error, error);
    return new AppleDartFault(stream, name, high << 32 | low);
  }

  private static String t8020Name(int code) {
    return switch (code) {
      case 1 << 4 -> "READ FAULT";
      case 1 << 3 -> "WRITE FAULT";
      case 1 << 2 -> "NO PTE FOR IOVA";
      case 1 << 1 -> "NO PMD FOR IOVA";
      case 1 -> "NO TTBR FOR IOVA";
      default -> "unknown";
    };
  }

  private static String t8110Name(int code) {
    return switch (code) {
      case 1 << 5 -> "READ FAULT";
      case 1 << 4 -> "WRITE FAULT";
      case 1 << 3 -> "NO PTE FOR IOVA";
      case 1 << 2 -> "NO PMD FOR IOVA";
      case 1 << 1 -> "NO PGD FOR IOVA";
      case 1 -> "NO TTBR FOR IOVA";
      default -> "unknown";
    };
  }
}
