package dev.sluice.models.vtd;

import dev.sluice.models.registers.ModelLock;
import dev.sluice.models.registers.Register;
import dev.sluice.models.registers.RegisterBank;
import org.jspecify.annotations.Nullable;

/// Invalidation through the context command and IOTLB invalidate registers, VT-d specification
/// 6.5.1.
///
/// Writing the uppermost byte of either with its bit 63 set starts an invalidation; the bit clears
/// when the drain is complete, and until then writes to the register do nothing. A request that the
/// unit cannot carry out is ignored, which it reports by clearing the bit and saying 0 for the
/// actual granularity: a reserved granularity, an address mask above MAMV, or any request while
/// queued invalidation is on.
final class RegisterInvalidation {
  private static final long START = 1L << 63;
  private static final long UPPERMOST_BYTE = 0xFFL << 56;
  private static final long GRANULARITY = 3;

  private final ModelLock lock;
  private final RegisterBank bank;
  private final Caches caches;

  /// Counts resets: the completion of an invalidation from before one has nothing to report.
  /// Guarded by the lock.
  private int resets;

  RegisterInvalidation(ModelLock lock, RegisterBank bank, Caches caches) {
    this.lock = lock;
    this.bank = bank;
    this.caches = caches;
  }

  /// The guest has written CCMD_REG.
  void contextCommandWritten(long value, long before, long touched) {
    command(
        VtdRegisters.CCMD,
        ContextCommand.REQUESTED_SHIFT,
        ContextCommand.ACTUAL_SHIFT,
        ContextCommand.request(value),
        before,
        touched);
  }

  /// The guest has written IOTLB_REG.
  void iotlbCommandWritten(long value, long before, long touched) {
    command(
        VtdRegisters.IOTLB,
        IotlbCommand.REQUESTED_SHIFT,
        IotlbCommand.ACTUAL_SHIFT,
        IotlbCommand.request(value, bank.get(VtdRegisters.IVA)),
        before,
        touched);
  }

  private void command(
      Register register,
      int requestedShift,
      int actualShift,
      @Nullable CacheInvalidation request,
      long before,
      long touched) {
    if ((before & START) != 0) {
      bank.set(register, before);
      return;
    }
    long value = bank.get(register);
    if ((touched & UPPERMOST_BYTE) == 0 || (value & START) == 0) {
      return;
    }
    boolean queued = (bank.get(VtdRegisters.GSTS) & GlobalCommand.QUEUED_INVALIDATION_ENABLE) != 0;
    if (request == null || queued) {
      complete(register, actualShift, 0);
      return;
    }
    long granularity = (value >>> requestedShift) & GRANULARITY;
    int started = resets;
    lock.defer(() ->
        caches.invalidate(
            request,
            () ->
                lock.run(() -> {
                  if (started == resets) {
                    complete(register, actualShift, granularity);
                  }
                })));
  }

  private void complete(Register register, int actualShift, long granularity) {
    bank.change(register, START | GRANULARITY << actualShift, granularity << actualShift);
  }

  void reset() {
    resets++;
  }
}
