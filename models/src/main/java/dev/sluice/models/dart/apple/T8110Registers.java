package dev.sluice.models.dart.apple;

import dev.sluice.memory.Access;
import dev.sluice.models.registers.ModelLock;
import dev.sluice.models.registers.Register;
import dev.sluice.models.registers.RegisterBank;
import dev.sluice.models.registers.WriteHook;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.LongConsumer;

/// The registers of a t8110, little-endian (`DART_T8110_*`; m1n1's `DART8110Regs`).
///
/// ```
///  31   30                          11 10    8 7                    0
/// +----+------------------------------+-------+----------------------+
/// |BUSY|              0               |  OP   |        STREAM        | TLB_CMD
/// +----+------------------------------+-------+----------------------+
///  31  30 29   28  27         20 19   15 14                         0
/// +----+----+-----+-------------+-------+----------------------------+
/// |FLAG| 0  | WR  |   STREAM    |   0   |            CODE            | ERROR
/// +----+----+-----+-------------+-------+----------------------------+
/// ```
///
/// OP: 0 forgets everything, 1 the stream STREAM; others do nothing. BUSY: set until that is done.
/// FLAG, WR (`WRITE_nREAD`), STREAM and CODE, [ErrorCode], are cleared by writing them back; the
/// bits of ERROR_MASK keep an error of that code, or any by FLAG, from raising the interrupt.
/// ERROR_STREAMS has a bit for each stream that was refused something, cleared by writing 1.
///
/// PROTECT: bits that are written as 1 stay set; bit 0 keeps TCR and TTBR as they are. UNPROTECT
/// clears the bits that are written as 1 unless PROTECT_LOCK, which only a reset clears, has them.
///
/// What is not here reads as zero: reading the TLB, invalidation by range, the TrustZone regions,
/// performance counters, and what m1n1 lists as unknown.
final class T8110Registers implements DartRegisters {
  private static final int STREAMS_IN_REGISTER = 32;
  private static final long ALL = 0xFFFF_FFFFL;
  private static final long BUSY = 1L << 31;
  private static final int OPERATION_SHIFT = 8;
  private static final long OPERATION = 7;
  private static final int FLUSH_ALL = 0;
  private static final int FLUSH_STREAM = 1;
  private static final long STREAM = 0xFF;
  private static final long FLAG = 1L << 31;
  private static final long WRITE = 1L << 28;
  private static final int STREAM_SHIFT = 20;
  private static final long CODE = 0x7FFF;
  private static final long PROTECTABLE = 0x1F;
  private static final long PROTECT_TTBR_TCR = 1;

  private static final Register TLB_CMD =
      Register.of("DART_T8110_TLB_CMD", 0x80, 4).writable(OPERATION << OPERATION_SHIFT | STREAM);
  private static final Register ERROR =
      Register.of("DART_T8110_ERROR", 0x100, 4).writeOneToClear(ALL);
  private static final Register ERROR_MASK =
      Register.of("DART_T8110_ERROR_MASK", 0x104, 4).writable(FLAG | CODE);
  private static final Register ERROR_ADDR_LO = Register.of("DART_T8110_ERROR_ADDR_LO", 0x170, 4);
  private static final Register ERROR_ADDR_HI = Register.of("DART_T8110_ERROR_ADDR_HI", 0x174, 4);
  private static final Register PROTECT =
      Register.of("DART_T8110_PROTECT", 0x200, 4).writable(PROTECTABLE);
  private static final Register UNPROTECT =
      Register.of("DART_T8110_UNPROTECT", 0x204, 4).writable(PROTECTABLE);
  private static final Register PROTECT_LOCK =
      Register.of("DART_T8110_PROTECT_LOCK", 0x208, 4).writable(PROTECTABLE);

  private final RegisterBank bank;
  private final Streams streams;
  private final TlbInvalidation invalidation;
  private final List<Register> errorStreams = new ArrayList<>();

  T8110Registers(
      AppleDartConfig config,
      ModelLock lock,
      Streams streams,
      TlbInvalidation invalidation,
      ErrorReporting errors) {
    this.streams = streams;
    this.invalidation = invalidation;
    RegisterBank.Builder builder =
        RegisterBank.builder(lock, BYTES)
            .add(Register.of("DART_PARAMS1", 0x00, 4).resetTo(Parameters.params1(config)))
            .add(Register.of("DART_PARAMS2", 0x04, 4).resetTo(Parameters.params2(config)))
            .add(Register.of("DART_T8110_PARAMS3", 0x08, 4).resetTo(Parameters.params3(config)))
            .add(Register.of("DART_T8110_PARAMS4", 0x0C, 4).resetTo(Parameters.params4(config)))
            .add(TLB_CMD, (value, _, _) -> commandWritten(value))
            .add(ERROR, (_, _, _) -> errors.level(wantsInterrupt()))
            .add(ERROR_MASK, (_, _, _) -> errors.level(wantsInterrupt()))
            .add(ERROR_ADDR_LO)
            .add(ERROR_ADDR_HI)
            .add(PROTECT, (_, before, _) -> protectWritten(before))
            .add(UNPROTECT, (value, _, _) -> unprotectWritten(value))
            .add(PROTECT_LOCK, (_, before, _) -> protectLockWritten(before));
    for (int i = 0; i * STREAMS_IN_REGISTER < config.streams(); i++) {
      addStreams(builder, i);
    }
    for (int stream = 0; stream < config.streams(); stream++) {
      addStream(builder, config, stream);
    }
    bank = builder.build();
  }

  /// The registers that have a bit for each of 32 streams.
  private void addStreams(RegisterBank.Builder builder, int index) {
    int first = index * STREAMS_IN_REGISTER;
    int count = Math.min(STREAMS_IN_REGISTER, streams.count() - first);
    long all = ALL >>> (STREAMS_IN_REGISTER - count);
    Register refused =
        Register.of("DART_T8110_ERROR_STREAMS" + index, 0x1C0 + 4 * index, 4).writeOneToClear(all);
    Register enable =
        Register.of("DART_T8110_ENABLE_STREAMS" + index, 0xC00 + 4 * index, 4)
            .resetTo(all)
            .writable(all);
    Register disable =
        Register.of("DART_T8110_DISABLE_STREAMS" + index, 0xC20 + 4 * index, 4).writable(all);
    errorStreams.add(refused);
    builder
        .add(refused)
        .add(enable, (value, before, _) -> enabled(enable, first, before | value))
        .add(
            disable,
            (value, _, _) -> {
              bank().set(disable, 0);
              enabled(enable, first, bank().get(enable) & ~value);
            });
  }

  private void enabled(Register enable, int first, long now) {
    bank.set(enable, now);
    for (int i = 0; i < STREAMS_IN_REGISTER && first + i < streams.count(); i++) {
      streams.enable(first + i, (now >>> i & 1) != 0);
    }
  }

  private void addStream(RegisterBank.Builder builder, AppleDartConfig config, int stream) {
    Register control =
        Register.of("DART_T8110_TCR(" + stream + ")", 0x1000 + 4 * stream, 4)
            .writable(config.bypass() ? ALL : ALL & ~T8110Stream.BYPASS_DART);
    Register table =
        Register.of("DART_T8110_TTBR(" + stream + ")", 0x1400 + 4 * stream, 4).writable(ALL);
    builder
        .add(
            control,
            unlessProtected(control, value -> streams.control(T8110Stream.control(stream, value))))
        .add(
            table,
            unlessProtected(table, value -> streams.table(stream, 0, T8110Stream.table(value))));
  }

  /// What a write does, unless it is protected against: then the register has its content back.
  private WriteHook unlessProtected(Register register, LongConsumer change) {
    return (value, before, _) -> {
      if ((bank().get(PROTECT) & PROTECT_TTBR_TCR) == 0) {
        change.accept(value);
      } else {
        bank().set(register, before);
      }
    };
  }

  private void protectWritten(long before) {
    bank.change(PROTECT, 0, before);
  }

  private void unprotectWritten(long value) {
    bank.set(UNPROTECT, 0);
    bank.change(PROTECT, value & ~bank.get(PROTECT_LOCK), 0);
  }

  private void protectLockWritten(long before) {
    bank.change(PROTECT_LOCK, 0, before);
  }

  private void commandWritten(long command) {
    int operation = (int) (command >>> OPERATION_SHIFT & OPERATION);
    if (operation == FLUSH_ALL) {
      invalidation.requestAll();
    } else if (operation == FLUSH_STREAM) {
      int stream = (int) (command & STREAM);
      BitSet one = new BitSet();
      one.set(stream, stream < streams.count());
      invalidation.request(one);
    }
    busy(invalidation.isBusy());
  }

  @Override
  public RegisterBank bank() {
    return bank;
  }

  @Override
  public void busy(boolean on) {
    bank.change(TLB_CMD, BUSY, on ? BUSY : 0);
  }

  @Override
  public boolean record(int stream, long iova, Access access, int code) {
    bank.change(
        errorStreams.get(stream / STREAMS_IN_REGISTER), 0, 1L << stream % STREAMS_IN_REGISTER);
    if ((bank.get(ERROR) & FLAG) != 0) {
      return false;
    }
    long direction = access.writes() ? WRITE : 0;
    bank.set(ERROR, FLAG | direction | (long) stream << STREAM_SHIFT | code);
    bank.set(ERROR_ADDR_LO, iova & ALL);
    bank.set(ERROR_ADDR_HI, iova >>> 32);
    return true;
  }

  @Override
  public boolean wantsInterrupt() {
    long error = bank.get(ERROR);
    return (error & FLAG) != 0 && (error & bank.get(ERROR_MASK) & (FLAG | CODE)) == 0;
  }
}
