package dev.sluice.iommu;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import org.jspecify.annotations.Nullable;

/// Runs what waited for an access to end, on the thread that happened to end it.
///
/// That thread belongs to a device which has no part in it, and others wait behind each
/// continuation: so one that fails is logged, and neither the rest nor the device suffers from it.
final class Continuations {
  private static final Logger LOG = System.getLogger(Continuations.class.getName());

  private Continuations() {}

  /// Runs one.
  static void run(Runnable continuation) {
    try {
      continuation.run();
    } catch (RuntimeException e) {
      LOG.log(Level.ERROR, "a continuation of a drain failed", e);
    } catch (Error e) {
      LOG.log(Level.ERROR, "a continuation of a drain failed", e);
      throw e;
    }
  }

  /// Runs all, in order.
  ///
  /// @throws Error the first that one of them threw, after all have run
  static void run(Iterable<? extends Runnable> continuations) {
    @Nullable Error first = null;
    for (Runnable one : continuations) {
      try {
        run(one);
      } catch (Error e) {
        first = first == null ? e : first;
      }
    }
    if (first != null) {
      throw first;
    }
  }
}
