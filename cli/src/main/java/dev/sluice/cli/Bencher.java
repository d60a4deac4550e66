package dev.sluice.cli;

import dev.sluice.vm.BenchOptions;
import dev.sluice.vm.BenchReport;
import dev.sluice.vm.BootException;
import dev.sluice.vm.BootListener;

/// What measures a guest's disk: [dev.sluice.vm.Bench], or a test's own.
@FunctionalInterface
interface Bencher {
  /// Measures once, in the calling thread.
  ///
  /// @throws BootException if there is nothing to report
  /// @throws InterruptedException if the thread was interrupted; nothing is left running
  BenchReport bench(BenchOptions options, BootListener listener)
      throws BootException, InterruptedException;
}
