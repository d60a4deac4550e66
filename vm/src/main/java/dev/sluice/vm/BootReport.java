package dev.sluice.vm;

import dev.sluice.vm.check.GuestCheck;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What happened in a boot.
///
/// @param guest who ran, and what it found
/// @param iommu what the IOMMU did; empty without one
/// @param disk what the disk did
/// @param stages what took how long, in order
/// @param wall all of it
/// @param notes what a user should know about this run, such as a fall-back, a sentence each
public record BootReport(
    GuestSummary guest,
    Optional<IommuSummary> iommu,
    DiskSummary disk,
    List<Stage> stages,
    Duration wall,
    List<String> notes) {

  /// Who ran, and what it found.
  ///
  /// @param kind `linux` or `in-process`
  /// @param kernel the kernel's version; for the in-process guest, its name
  /// @param checks in the order in which they were made
  public record GuestSummary(String kind, String kernel, List<GuestCheck> checks) {
    /// Takes a copy.
    public GuestSummary {
      checks = List.copyOf(checks);
    }

    /// Whether there were checks and all of them passed.
    public boolean passed() {
      return !checks.isEmpty() && checks.stream().allMatch(GuestCheck::passed);
    }
  }

  /// What the IOMMU did.
  ///
  /// @param model such as `vtd`
  /// @param mode such as `legacy`
  /// @param iotlbMisses accesses that no cached translation answered, so that the model was asked
  /// @param walks page-table walks
  /// @param faults refused accesses
  /// @param invalidations by kind, in a fixed order
  /// @param drains how invalidations were completed
  public record IommuSummary(
      String model,
      String mode,
      long iotlbMisses,
      long walks,
      long faults,
      Map<String, Long> invalidations,
      DrainSummary drains) {}

  /// How invalidations were completed.
  ///
  /// @param count all of them
  /// @param delayed those that had to wait for an access
  /// @param revocations mappings taken away at their deadline
  /// @param maxNanos the longest wait
  public record DrainSummary(long count, long delayed, long revocations, long maxNanos) {}

  /// What the disk did.
  ///
  /// @param bytesRead by the guest
  /// @param bytesWritten by the guest
  public record DiskSummary(long bytesRead, long bytesWritten) {}

  /// A part of the boot.
  ///
  /// @param name for a person, such as `guest`
  /// @param took how long
  public record Stage(String name, Duration took) {}

  /// Takes copies.
  public BootReport {
    stages = List.copyOf(stages);
    notes = List.copyOf(notes);
  }

  /// Whether the boot did what it is for.
  public boolean passed() {
    return guest.passed();
  }
}
