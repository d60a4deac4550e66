package dev.sluice.vm;

import java.time.Duration;

/// What to measure, and how.
///
/// @param machine the guest's machine on both sides: IOMMU, invalidation, memory, accelerator. The
///   disk is always one made for the run, since it is overwritten
/// @param measured time of each workload, in whole seconds, without its warm-up
public record BenchOptions(BootOptions machine, Duration measured) {
  /// Longest time of a workload.
  public static final Duration LONGEST = Duration.ofMinutes(10);

  /// Longest time of a warm-up: by then the guest's translator and the JVM's compiler have seen
  /// what there is to see.
  private static final Duration LONGEST_WARM_UP = Duration.ofSeconds(2);

  /// Checks that nothing is asked for that a benchmark cannot do.
  ///
  /// @throws IllegalArgumentException if the time is not 1 s to [#LONGEST], or the machine has a
  ///   disk or an initramfs of the user's own, is interactive, or is not in QEMU
  public BenchOptions {
    if (measured.compareTo(Duration.ofSeconds(1)) < 0 || measured.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException("a workload of " + measured);
    }
    if (machine.disk().isPresent()
        || machine.initrd().isPresent()
        || machine.interactive()
        || machine.guest() != BootOptions.Guest.QEMU) {
      throw new IllegalArgumentException("not a machine for a benchmark: " + machine);
    }
  }

  /// Time before each measurement, in whole seconds.
  public Duration warmUp() {
    return measured.compareTo(LONGEST_WARM_UP) < 0 ? measured : LONGEST_WARM_UP;
  }
}
