package dev.sluice.cli;

import dev.sluice.vm.BootException;
import dev.sluice.vm.BootListener;
import dev.sluice.vm.BootOptions;
import dev.sluice.vm.BootReport;

/// What boots a guest: [dev.sluice.vm.Boot], or a test's own.
@FunctionalInterface
interface Booter {
  /// Runs one guest to its end, in the calling thread.
  ///
  /// @throws BootException if there is nothing to report
  /// @throws InterruptedException if the thread was interrupted; nothing is left running
  BootReport boot(BootOptions options, BootListener listener)
      throws BootException, InterruptedException;
}
