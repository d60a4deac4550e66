package dev.sluice.models.dart.u3;

import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Invalidation;
import dev.sluice.iommu.Invalidator;
import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.Iotlb;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.models.registers.ModelLock;
import dev.sluice.models.registers.Register;
import dev.sluice.models.registers.RegisterBank;
import dev.sluice.models.registers.ResetDrains;

/// The DART of a Power Mac G5: one table for all requesters, 4 KiB pages, no rights.
///
/// Its guest sees registers ([#readRegister], [#writeRegister]) and keeps a table in its memory;
/// its devices see [Iommu]. Any thread may call anything here; nothing blocks on a device, and
/// registers change hands under a lock that is held for nanoseconds.
///
/// Linux polls a flush 31 times and then panics, so the contexts behind this DART want
/// [dev.sluice.iommu.Revocation#immediately()] when a Linux drives it and devices keep mappings.
public final class U3DartIommu implements Iommu {
  /// Bytes of the registers.
  public static final int REGISTER_BYTES = DartRegisters.BYTES;

  private final U3DartConfig config;
  private final ModelLock lock = new ModelLock();
  private final Invalidator invalidator = new Invalidator();
  private final ResetDrains resets = new ResetDrains(invalidator);
  private final U3DartCounters counters = new U3DartCounters();
  private final RegisterBank bank;
  private final Register exception;
  private final DmaTranslation translation;
  private final TlbInvalidation invalidation;
  private final ChipFault chipFault;

  /// A DART in its state after reset: disabled, addresses are guest-physical.
  ///
  /// @param memory guest-physical memory, for the table
  /// @param chipFault is told of each refused access, once it stands in the exception register
  public U3DartIommu(U3DartConfig config, GuestMemory memory, ChipFault chipFault) {
    this.config = config;
    this.chipFault = chipFault;
    translation = new DmaTranslation(config, memory, invalidator, counters);
    RegisterBank.Builder builder = RegisterBank.builder(lock, DartRegisters.BYTES);
    if (config.bridge() == Bridge.U3) {
      exception = DartRegisters.U3_EXCP;
      bank =
          builder
              .add(DartRegisters.U3_CNTL, (value, _, _) -> u3ControlWritten(value))
              .add(exception, (_, _, _) -> exceptionWritten())
              .build();
      invalidation =
          new TlbInvalidation(
              lock, bank, DartRegisters.U3_CNTL, U3Control.FLUSH, 0, invalidator, counters);
    } else {
      exception = DartRegisters.U4_EXCP;
      bank =
          builder
              .add(DartRegisters.U4_CNTL, (value, _, _) -> u4ControlWritten(value))
              .add(DartRegisters.U4_BASE, (_, _, _) -> u4RootWritten())
              .add(DartRegisters.U4_SIZE, (_, _, _) -> u4RootWritten())
              .add(exception, (_, _, _) -> exceptionWritten())
              .build();
      invalidation =
          new TlbInvalidation(
              lock,
              bank,
              DartRegisters.U4_CNTL,
              U4Control.INVALIDATE_ONE | U4Control.FLUSH,
              U4Control.IDLE,
              invalidator,
              counters);
    }
  }

  // --- the guest's side

  /// What it was made with.
  public U3DartConfig config() {
    return config;
  }

  /// A guest's read of a register, as a number: its bytes stand in memory most significant first.
  ///
  /// @param offset bytes from the start of the registers, 0 or more; beyond their end there is
  ///   nothing, which reads as zero
  /// @param size 4 bytes, aligned; others read as zero, as no driver makes any
  /// @return zero-extended
  public long readRegister(long offset, int size) {
    return isWord(offset, size) ? bank.read(offset, size) : 0;
  }

  /// A guest's write to a register.
  ///
  /// @param offset bytes from the start of the registers, 0 or more; beyond their end there is
  ///   nothing, and nothing happens
  /// @param size 4 bytes, aligned; others do nothing, as no driver makes any
  /// @param value in its low `size` bytes
  public void writeRegister(long offset, int size, long value) {
    if (isWord(offset, size)) {
      bank.write(offset, size, value);
    }
  }

  private static boolean isWord(long offset, int size) {
    return size == Integer.BYTES && offset % Integer.BYTES == 0;
  }

  /// A reset of the bridge: registers at their reset values, nothing cached.
  ///
  /// @param drained runs once, when nothing that began before the reset can touch memory any more:
  ///   on this thread before the call returns when nothing is in flight, else on the thread that
  ///   ends the last access; short, and must not block. Until then what the new guest keeps in
  ///   memory may be overwritten by devices of the old one
  public void reset(Runnable drained) {
    lock.run(() -> {
      bank.reset();
      invalidation.reset();
      translation.root(DmaTranslation.Root.AFTER_RESET);
      lock.defer(() -> resets.begin(drained));
    });
  }

  private void u3ControlWritten(long control) {
    changeRoot(U3Control.root(control));
    if ((control & U3Control.FLUSH) != 0) {
      invalidation.request(TlbRequest.flush(U3Control.FLUSH));
    }
    invalidation.show();
  }

  private void u4ControlWritten(long control) {
    u4RootWritten();
    if ((control & U4Control.FLUSH) != 0) {
      invalidation.request(TlbRequest.flush(U4Control.FLUSH));
    }
    if ((control & U4Control.INVALIDATE_ONE) != 0) {
      invalidation.request(
          TlbRequest.page(U4Control.INVALIDATE_ONE, control & U4Control.LOGICAL_PAGE));
    }
    invalidation.show();
  }

  private void u4RootWritten() {
    changeRoot(
        U4Control.root(
            bank.get(DartRegisters.U4_CNTL),
            bank.get(DartRegisters.U4_BASE),
            bank.get(DartRegisters.U4_SIZE)));
  }

  /// New requests go by the new root at once, as far as the TLB does not answer them: a base or a
  /// size that changes flushes nothing. When the old ones are drained the next flush tells.
  private void changeRoot(DmaTranslation.Root next) {
    boolean before = translation.root().enabled();
    translation.root(next);
    if (next.enabled() != before) {
      lock.defer(() -> invalidator.forget(Invalidation.ofBindings()));
    }
  }

  private void exceptionWritten() {
    bank.set(exception, 0);
  }

  // --- the devices' side

  @Override
  public Invalidator invalidator() {
    return invalidator;
  }

  @Override
  public Translation translate(Endpoint endpoint, long iova, Access access) {
    return endpoint.pasid() == Endpoint.NO_PASID
        ? translation.translate(endpoint, iova)
        : new Translation.Fault(AbortReason.BLOCKED, 0, false);
  }

  @Override
  public long walk(Endpoint endpoint, Iotlb space, long iova, Access access) {
    return endpoint.pasid() == Endpoint.NO_PASID
        ? translation.walk(endpoint, space, iova)
        : Iotlb.MISS;
  }

  @Override
  public void report(Endpoint endpoint, long iova, Access access, Translation.Fault fault) {
    counters.refused();
    if (!fault.recorded()) {
      // A request with a PASID, which the bridge does not take.
      return;
    }
    long record =
        ExceptionRecord.of(
            config.onPciExpress().test(endpoint.requester()), iova, access, fault.code());
    lock.run(() -> {
      bank.set(exception, record);
      lock.defer(chipFault::raise);
    });
  }

  /// Never asked for: interrupts are messages to addresses that devices on this bus do not write.
  @Override
  public void interrupt(Endpoint endpoint, long address, int data) {
    throw new IllegalStateException("a DART has no interrupt range");
  }

  /// What the DART has done so far.
  public U3DartStatistics statistics() {
    return counters.snapshot(invalidator.statistics());
  }
}
