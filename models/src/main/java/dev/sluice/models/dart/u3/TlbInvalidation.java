package dev.sluice.models.dart.u3;

import dev.sluice.iommu.Invalidator;
import dev.sluice.models.dart.Outstanding;
import dev.sluice.models.registers.ModelLock;
import dev.sluice.models.registers.Register;
import dev.sluice.models.registers.RegisterBank;

/// Invalidation through bits of the control register: set to ask, clear when it is done.
///
/// A bit that is set stays set until no access from before can touch memory any more, whatever the
/// guest writes meanwhile: a guest that sees it clear may reuse its pages. Linux clears the bit and
/// sets it again when it does not clear soon, as a U3 at times overlooks it; that asks once more,
/// and takes nothing back.
final class TlbInvalidation {
  private final RegisterBank bank;
  private final Register control;
  private final long requestBits;
  private final long idleBit;
  private final Outstanding<TlbRequest> outstanding;

  /// @param requestBits those of `control` that ask for an invalidation
  /// @param idleBit the one that says that there is none, or 0
  TlbInvalidation(
      ModelLock lock,
      RegisterBank bank,
      Register control,
      long requestBits,
      long idleBit,
      Invalidator invalidator,
      U3DartCounters counters) {
    this.bank = bank;
    this.control = control;
    this.requestBits = requestBits;
    this.idleBit = idleBit;
    outstanding =
        new Outstanding<>(
            lock,
            (request, completed) -> {
              counters.invalidated(request);
              invalidator.invalidate(request.what(), completed);
            },
            TlbRequest::and,
            this::show);
  }

  /// Carries a request out. With the lock held.
  void request(TlbRequest request) {
    outstanding.add(request);
  }

  /// Has the control register say what is not complete. With the lock held.
  void show() {
    long[] pending = {outstanding.isQuiet() ? idleBit : 0};
    outstanding.forEach(request -> pending[0] |= request.bits());
    bank.change(control, requestBits | idleBit, pending[0]);
  }

  /// With the lock held.
  void reset() {
    outstanding.reset();
  }
}
