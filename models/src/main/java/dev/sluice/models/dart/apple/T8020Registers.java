package dev.sluice.models.dart.apple;

import dev.sluice.memory.Access;
import dev.sluice.models.registers.ModelLock;
import dev.sluice.models.registers.Register;
import dev.sluice.models.registers.RegisterBank;
import dev.sluice.models.registers.WriteHook;
import java.util.BitSet;
import java.util.function.LongConsumer;

/// The registers of a t8020 or t6000, little-endian (`DART_T8020_*`; m1n1's `DART8020Regs`).
///
/// ```
///  31        21   20    19                             3    2    1  0
/// +------------+-------+--------------------------------+------+-----+
/// |     0      |  INV  |               0                | BUSY |  0  | STREAM_COMMAND
/// +------------+-------+--------------------------------+------+-----+
///  31   30  28 27    24 23                                          0
/// +----+------+--------+---------------------------------------------+
/// |FLAG|  0   | STREAM |                    CODE                     | ERROR
/// +----+------+--------+---------------------------------------------+
///  31                                       16   15   14            0
/// +--------------------------------------------+------+--------------+
/// |                     0                      | LOCK |      0       | CONFIG
/// +--------------------------------------------+------+--------------+
/// ```
///
/// INV (`INVALIDATE`): set to have the TLB forget the streams in STREAM_SELECT, a bit each. BUSY:
/// set until that is done. FLAG, STREAM and CODE, [ErrorCode], are cleared by writing them back.
/// LOCK: set to keep TCR, TTBR and REMAP as they are until a reset.
///
/// What is not here reads as zero: the lock of the address filter, the TLB's own registers,
/// performance counters.
final class T8020Registers implements DartRegisters {
  private static final int STREAMS_IN_REMAP = 4;
  private static final long ALL = 0xFFFF_FFFFL;
  private static final long INVALIDATE = 1L << 20;
  private static final long BUSY = 1L << 2;
  private static final long FLAG = 1L << 31;
  private static final int STREAM_SHIFT = 24;
  private static final long LOCK = 1L << 15;

  private static final Register STREAM_COMMAND =
      Register.of("DART_T8020_STREAM_COMMAND", 0x20, 4).writable(INVALIDATE);
  private static final Register STREAM_SELECT =
      Register.of("DART_T8020_STREAM_SELECT", 0x34, 4).writable(ALL);
  private static final Register ERROR =
      Register.of("DART_T8020_ERROR", 0x40, 4).writeOneToClear(ALL);
  private static final Register ERROR_ADDR_LO = Register.of("DART_T8020_ERROR_ADDR_LO", 0x50, 4);
  private static final Register ERROR_ADDR_HI = Register.of("DART_T8020_ERROR_ADDR_HI", 0x54, 4);
  private static final Register CONFIG = Register.of("DART_T8020_CONFIG", 0x60, 4).writable(LOCK);

  private final RegisterBank bank;
  private final Streams streams;
  private final TlbInvalidation invalidation;

  T8020Registers(
      AppleDartConfig config,
      ModelLock lock,
      Streams streams,
      TlbInvalidation invalidation,
      ErrorReporting errors) {
    this.streams = streams;
    this.invalidation = invalidation;
    long allStreams = (1L << config.streams()) - 1;
    Register enabled =
        Register.of("DART_T8020_STREAMS_ENABLE", 0xFC, 4).resetTo(allStreams).writable(allStreams);
    RegisterBank.Builder builder =
        RegisterBank.builder(lock, BYTES)
            .add(Register.of("DART_PARAMS1", 0x00, 4).resetTo(Parameters.params1(config)))
            .add(Register.of("DART_PARAMS2", 0x04, 4).resetTo(Parameters.params2(config)))
            .add(STREAM_COMMAND, (value, _, _) -> commandWritten(value))
            .add(STREAM_SELECT)
            .add(ERROR, (_, _, _) -> errors.level(wantsInterrupt()))
            .add(ERROR_ADDR_LO)
            .add(ERROR_ADDR_HI)
            .add(CONFIG, (_, before, _) -> configWritten(before))
            .add(enabled, (value, _, _) -> enabledWritten(value));
    for (int i = 0; i < config.streams() / STREAMS_IN_REMAP; i++) {
      addRemap(builder, i);
    }
    for (int stream = 0; stream < config.streams(); stream++) {
      addStream(builder, config, stream);
    }
    bank = builder.build();
  }

  private void addRemap(RegisterBank.Builder builder, int index) {
    Register register =
        Register.of("STREAM_REMAP" + index, 0x80 + 4 * index, 4)
            .resetTo(T8020Stream.identity(index))
            .writable(T8020Stream.REMAP_WRITABLE);
    builder.add(
        register,
        unlessLocked(
            register,
            value -> {
              for (int i = 0; i < STREAMS_IN_REMAP; i++) {
                streams.remap(STREAMS_IN_REMAP * index + i, T8020Stream.remap(value, i));
              }
            }));
  }

  private void addStream(RegisterBank.Builder builder, AppleDartConfig config, int stream) {
    Register control =
        Register.of("DART_T8020_TCR(" + stream + ")", 0x100 + 4 * stream, 4)
            .writable(config.bypass() ? ALL : ALL & ~T8020Stream.BYPASS_DART);
    builder.add(
        control,
        unlessLocked(control, value -> streams.control(T8020Stream.control(stream, value))));
    for (int i = 0; i < streams.tablesEach(); i++) {
      int index = i;
      Register table =
          Register.of("DART_T8020_TTBR(" + stream + ", " + i + ")", 0x200 + 16 * stream + 4 * i, 4)
              .writable(ALL);
      builder.add(
          table,
          unlessLocked(table, value -> streams.table(stream, index, T8020Stream.table(value))));
    }
  }

  /// What a write does, unless the DART is locked: then the register has its content back.
  private WriteHook unlessLocked(Register register, LongConsumer change) {
    return (value, before, _) -> {
      if ((bank().get(CONFIG) & LOCK) == 0) {
        change.accept(value);
      } else {
        bank().set(register, before);
      }
    };
  }

  private void configWritten(long before) {
    bank.change(CONFIG, 0, before & LOCK);
  }

  private void enabledWritten(long value) {
    for (int stream = 0; stream < streams.count(); stream++) {
      streams.enable(stream, (value >>> stream & 1) != 0);
    }
  }

  private void commandWritten(long command) {
    if ((command & INVALIDATE) != 0) {
      long select = bank.get(STREAM_SELECT) & ((1L << streams.count()) - 1);
      invalidation.request(BitSet.valueOf(new long[] {select}));
    }
    busy(invalidation.isBusy());
  }

  @Override
  public RegisterBank bank() {
    return bank;
  }

  @Override
  public void busy(boolean on) {
    bank.set(STREAM_COMMAND, on ? BUSY : 0);
  }

  @Override
  public boolean record(int stream, long iova, Access access, int code) {
    if (wantsInterrupt()) {
      return false;
    }
    bank.set(ERROR, FLAG | (long) stream << STREAM_SHIFT | code);
    bank.set(ERROR_ADDR_LO, iova & ALL);
    bank.set(ERROR_ADDR_HI, iova >>> 32);
    return true;
  }

  @Override
  public boolean wantsInterrupt() {
    return (bank.get(ERROR) & FLAG) != 0;
  }
}
