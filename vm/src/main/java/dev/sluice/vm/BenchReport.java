package dev.sluice.vm;

import dev.sluice.vm.check.GuestCheck;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// What a benchmark measured.
///
/// @param setting what both guests had
/// @param rows a workload each, in the order in which they ran
/// @param failures the checks that did not pass in one of the guests, its name before the detail
/// @param stages what took how long, in order
/// @param wall all of it
/// @param notes what a user should know about this run, a sentence each
public record BenchReport(
    Setting setting,
    List<Row> rows,
    List<GuestCheck> failures,
    List<BootReport.Stage> stages,
    Duration wall,
    List<String> notes) {

  /// What both guests had.
  ///
  /// @param kernel the guests' version
  /// @param qemu QEMU's version
  /// @param fio fio's version
  /// @param iommu which IOMMU: VT-d means Sluice's in one guest and QEMU's own in the other
  /// @param invalidation when the guests wait for invalidations
  /// @param accelerator what executed the guests
  /// @param memoryMib RAM in MiB
  /// @param processors virtual ones
  /// @param diskBytes size of the disk
  /// @param warmUp time before each measurement
  /// @param measured time of each measurement
  public record Setting(
      String kernel,
      String qemu,
      String fio,
      BootOptions.IommuKind iommu,
      BootOptions.Invalidation invalidation,
      BootOptions.Accelerator accelerator,
      int memoryMib,
      int processors,
      long diskBytes,
      Duration warmUp,
      Duration measured) {}

  /// One workload on both machines.
  ///
  /// @param workload such as `randread-4k-qd1`
  /// @param blockBytes bytes of one I/O
  /// @param depth I/Os in flight
  /// @param sluice on Sluice's disk behind Sluice's IOMMU; empty when it was not measured
  /// @param qemu on QEMU's own devices; empty when it was not measured
  /// @param work what Sluice did for it, the warm-up included
  public record Row(
      String workload,
      int blockBytes,
      int depth,
      Optional<Result> sluice,
      Optional<Result> qemu,
      Optional<Work> work) {
    /// Sluice's I/Os per second as a multiple of QEMU's; empty when one is missing.
    public Optional<Double> ratio() {
      return sluice.flatMap(ours -> qemu.map(theirs -> ours.iops() / theirs.iops()));
    }
  }

  /// What fio saw in one guest.
  ///
  /// @param iops I/Os per second
  /// @param bytesPerSecond bandwidth
  /// @param meanMicros mean latency from submission to completion, in microseconds
  /// @param p50Micros half of the I/Os took at most this
  /// @param p99Micros 99 % of them
  /// @param p999Micros 99.9 % of them
  /// @param interruptsPerIo interrupts of the disk that the guest took for each I/O
  public record Result(
      double iops,
      double bytesPerSecond,
      double meanMicros,
      double p50Micros,
      double p99Micros,
      double p999Micros,
      double interruptsPerIo) {}

  /// What Sluice did during a workload, from fio's start to its end.
  ///
  /// @param ios commands that the disk completed
  /// @param doorbells register writes to the disk
  /// @param interrupts messages that the disk sent
  /// @param iommuWrites register writes to the IOMMU: mostly the tail of its queue
  /// @param iommuReads register reads of the IOMMU, for each of which a processor of the guest
  ///   stood still
  /// @param misses accesses that no cached translation answered
  /// @param invalidations of the IOTLB, of whatever kind
  /// @param drains invalidations that were completed
  /// @param delayedDrains those that had to wait for an access
  public record Work(
      long ios,
      long doorbells,
      long interrupts,
      long iommuWrites,
      long iommuReads,
      long misses,
      long invalidations,
      long drains,
      long delayedDrains) {
    /// What was done between two moments.
    Work since(Work earlier) {
      return new Work(
          ios - earlier.ios,
          doorbells - earlier.doorbells,
          interrupts - earlier.interrupts,
          iommuWrites - earlier.iommuWrites,
          iommuReads - earlier.iommuReads,
          misses - earlier.misses,
          invalidations - earlier.invalidations,
          drains - earlier.drains,
          delayedDrains - earlier.delayedDrains);
    }
  }

  /// Takes copies.
  public BenchReport {
    rows = List.copyOf(rows);
    failures = List.copyOf(failures);
    stages = List.copyOf(stages);
    notes = List.copyOf(notes);
  }

  /// Whether everything was measured on both sides. Says nothing of who was faster.
  public boolean passed() {
    return failures.isEmpty()
        && !rows.isEmpty()
        && rows.stream().allMatch(row -> row.sluice().isPresent() && row.qemu().isPresent());
  }
}
