package dev.sluice.vm.kit.linux;

import dev.sluice.iommu.RequesterId;
import dev.sluice.vm.kit.BenchmarkTool;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/// What the guest of a benchmark is told.
///
/// @param iommu which IOMMU the guest must see
/// @param invalidation the policy that its DMA domains must have
/// @param disk where the NVMe controller is
/// @param diskBytes size of its only namespace
/// @param workloads in their order
/// @param warmUp time before each measurement, in whole seconds
/// @param measured time of each measurement, in whole seconds
public record BenchParameters(
    GuestParameters.Iommu iommu,
    GuestParameters.Invalidation invalidation,
    RequesterId disk,
    long diskBytes,
    List<Workload> workloads,
    Duration warmUp,
    Duration measured) {
  /// Where fio and its libraries are in the guest.
  static final String FOLDER = "/bench";

  /// @throws IllegalArgumentException if there is nothing to do, or no time for it
  public BenchParameters {
    workloads = List.copyOf(workloads);
    if (workloads.isEmpty()
        || diskBytes <= 0
        || warmUp.toSeconds() < 1
        || measured.toSeconds() < 1) {
      throw new IllegalArgumentException(
          "%s on %d bytes, %s after %s".formatted(workloads, diskBytes, measured, warmUp));
    }
  }

  /// The names of the checks that a whole run reports.
  public Set<String> expectedChecks() {
    List<String> names = new ArrayList<>();
    if (iommu == GuestParameters.Iommu.NONE) {
      names.add("no-iommu");
    } else {
      names.addAll(List.of("dmar-unit", "queued-invalidation", "iommu-group"));
    }
    names.addAll(List.of("disk-found", "workloads", "kernel-log"));
    return new LinkedHashSet<>(names);
  }

  /// The kernel's command line that goes with these parameters.
  public List<String> kernelArguments() {
    List<String> arguments = new ArrayList<>(List.of("console=ttyS0", "panic=-1"));
    arguments.addAll(GuestParameters.iommuArguments(iommu, invalidation));
    return List.copyOf(arguments);
  }

  /// The text of `/sluice/parameters`.
  String file() {
    StringBuilder text = new StringBuilder();
    GuestParameters.line(text, "IOMMU", iommu.name().toLowerCase(Locale.ROOT));
    GuestParameters.line(text, "INVALIDATION", invalidation.name().toLowerCase(Locale.ROOT));
    GuestParameters.line(text, "DISK_DEVICE", GuestParameters.linuxName(disk));
    GuestParameters.line(text, "DISK_BYTES", Long.toString(diskBytes));
    GuestParameters.line(text, "TEST_DEVICE", "");
    GuestParameters.line(text, "FIO", BenchmarkTool.command(FOLDER));
    GuestParameters.line(
        text,
        "WORKLOADS",
        workloads.stream().map(Workload::parameter).collect(Collectors.joining(" ")));
    GuestParameters.line(text, "WARM_UP", Long.toString(warmUp.toSeconds()));
    GuestParameters.line(text, "MEASURED", Long.toString(measured.toSeconds()));
    GuestParameters.line(text, "INTERACTIVE", "0");
    return text.toString();
  }
}
