package dev.sluice.testkit.vtd;

import dev.sluice.testkit.soak.Scope;
import dev.sluice.testkit.soak.Waiting;
import java.util.List;

/// How a VT-d driver has things invalidated.
sealed interface VtdInvalidations permits VtdQueue, VtdRegisterInvalidations {
  /// Asks for all of it, and returns when the guest can see that it is complete.
  ///
  /// @param guest which of the guest's processors asks
  /// @param leavesOnly IH: whether no entry has changed that leads to a table
  void invalidate(int guest, List<Scope> scopes, boolean leavesOnly, Waiting waiting);

  /// What an invalidation of pages is about: address, IH and AM, as in IVA_REG and in a descriptor.
  static long operand(Scope.Pages pages, boolean leavesOnly) {
    return pages.iova() | (leavesOnly ? 1L << 6 : 0) | pages.order();
  }

  /// The domain id of an address space.
  static int domain(int space) {
    return space + 1;
  }
}
