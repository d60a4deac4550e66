package dev.sluice.testkit.vtd;

import dev.sluice.testkit.soak.Scope;
import dev.sluice.testkit.soak.Waiting;
import java.util.List;

/// How a VT-d driver has things invalidated.
sealed interface VtdInvalidations permits VtdQueue, VtdRegisterInvalidations {
  /// Asks for all of it, and returns when the guest can see that it is complete.
  ///
  /// @param guest which of the guest's processors asks
  void invalidate(int guest, List<Scope> scopes, Waiting waiting);

  /// The domain id of an address space.
  static int domain(int space) {
    return space + 1;
  }
}
