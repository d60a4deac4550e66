package dev.sluice.models.dart.apple;

import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Invalidator;
import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.Iotlb;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.models.registers.ModelLock;
import dev.sluice.models.registers.RegisterBank;
import dev.sluice.models.registers.ResetDrains;
import dev.sluice.models.walk.TableMemory;

/// A DART of one of Apple's own processors.
///
/// Its guest sees registers ([#readRegister], [#writeRegister]) and keeps tables for each stream in
/// its memory; its devices see [Iommu]. Any thread may call anything here; nothing blocks on a
/// device, and registers change hands under a lock that is held for nanoseconds.
///
/// Linux waits 100 µs for an invalidation, then complains and goes on as if it were complete, so
/// contexts behind this DART want [dev.sluice.iommu.Revocation#immediately()] when a Linux drives
/// it and devices keep mappings.
public final class AppleDartIommu implements Iommu {
  /// Bytes of the registers.
  public static final int REGISTER_BYTES = DartRegisters.BYTES;

  private final AppleDartConfig config;
  private final ModelLock lock = new ModelLock();
  private final Invalidator invalidator = new Invalidator();
  private final ResetDrains resets = new ResetDrains(invalidator);
  private final AppleDartCounters counters = new AppleDartCounters();
  private final Streams streams;
  private final DmaTranslation translation;
  private final ErrorReporting errors;
  private final TlbInvalidation invalidation;
  private final DartRegisters registers;

  /// A DART in its state after reset: every stream is blocked.
  ///
  /// @param memory guest-physical memory, for the tables
  /// @param line the interrupt, not asserted at first
  public AppleDartIommu(AppleDartConfig config, GuestMemory memory, InterruptLine line) {
    this.config = config;
    streams = new Streams(config, lock, invalidator);
    translation =
        new DmaTranslation(config, streams, new TableMemory(memory), invalidator, counters);
    errors = new ErrorReporting(lock, counters, line);
    invalidation =
        new TlbInvalidation(lock, invalidator, counters, config.streams(), this::showBusy);
    registers =
        config.type() == DartType.T8110
            ? new T8110Registers(config, lock, streams, invalidation, errors)
            : new T8020Registers(config, lock, streams, invalidation, errors);
  }

  private void showBusy() {
    registers.busy(invalidation.isBusy());
  }

  // --- the guest's side

  /// What it was made with.
  public AppleDartConfig config() {
    return config;
  }

  /// A guest's read of a register.
  ///
  /// @param offset bytes from the start of the registers, 0 or more; beyond their end there is
  ///   nothing, which reads as zero
  /// @param size 1, 2, 4 or 8 bytes
  /// @return zero-extended
  public long readRegister(long offset, int size) {
    return registers.bank().read(offset, size);
  }

  /// A guest's write to a register.
  ///
  /// @param offset bytes from the start of the registers, 0 or more; beyond their end there is
  ///   nothing, and nothing happens
  /// @param size 1, 2, 4 or 8 bytes
  /// @param value in its low `size` bytes
  public void writeRegister(long offset, int size, long value) {
    registers.bank().write(offset, size, value);
  }

  /// A reset, which is also what ends a lock: registers at their reset values, nothing cached.
  ///
  /// @param drained runs once, when nothing that began before the reset can touch memory any more:
  ///   on this thread before the call returns when nothing is in flight, else on the thread that
  ///   ends the last access; short, and must not block. Until then what the new guest keeps in
  ///   memory may be overwritten by devices of the old one
  public void reset(Runnable drained) {
    lock.run(() -> {
      RegisterBank bank = registers.bank();
      bank.reset();
      streams.reset();
      invalidation.reset();
      errors.level(false);
      lock.defer(() -> resets.begin(drained));
    });
  }

  // --- the devices' side

  @Override
  public Invalidator invalidator() {
    return invalidator;
  }

  @Override
  public Translation translate(Endpoint endpoint, long iova, Access access) {
    return translation.translate(endpoint, iova, access);
  }

  @Override
  public long walk(Endpoint endpoint, Iotlb space, long iova, Access access) {
    return translation.walk(endpoint, space, iova, access);
  }

  @Override
  public void report(Endpoint endpoint, long iova, Access access, Translation.Fault fault) {
    if (fault.recorded()) {
      int stream = translation.streamOf(endpoint);
      lock.run(() -> errors.record(registers, stream, iova, access, fault.code()));
    }
  }

  /// Never asked for: this DART has no interrupt range. MSIs are pages that the guest maps.
  @Override
  public void interrupt(Endpoint endpoint, long address, int data) {
    throw new IllegalStateException("a DART has no interrupt range");
  }

  /// What the DART has done so far.
  public AppleDartStatistics statistics() {
    return counters.snapshot(invalidator.statistics());
  }
}
