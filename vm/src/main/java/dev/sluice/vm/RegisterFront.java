package dev.sluice.vm;

import dev.sluice.memory.GuestMemory;
import dev.sluice.pci.BarHandler;

/// What stands between a guest and the registers of its IOMMU: nothing, unless a test breaks the
/// machine there to see that the guest's checks notice. No option of a user's leads here.
@FunctionalInterface
interface RegisterFront {
  /// The registers themselves.
  RegisterFront NONE = (registers, _) -> registers;

  /// What the guest reaches in place of `registers`.
  ///
  /// @param memory the guest's
  BarHandler before(BarHandler registers, GuestMemory memory);
}
