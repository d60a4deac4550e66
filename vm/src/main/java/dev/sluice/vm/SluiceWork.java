package dev.sluice.vm;

import dev.sluice.vfiouser.server.ServerStatistics;
import java.util.Map;
import java.util.Optional;

/// Gathers what [SluiceDevices] have done from the statistics of their parts.
final class SluiceWork {
  private SluiceWork() {}

  static BenchReport.Work soFar(SluiceDevices devices, DeviceSockets sockets) {
    ServerStatistics disk = sockets.statistics(Place.NVME);
    ServerStatistics registers = sockets.statistics(Place.IOMMU);
    Optional<BootReport.IommuSummary> iommu = devices.iommuSummary();
    return new BenchReport.Work(
        devices.ioCommands(),
        disk.barWrites(),
        disk.interrupts(),
        registers.barWrites(),
        registers.barReads(),
        iommu.map(BootReport.IommuSummary::iotlbMisses).orElse(0L),
        iommu.map(unit -> ofIotlb(unit.invalidations())).orElse(0L),
        iommu.map(unit -> unit.drains().count()).orElse(0L),
        iommu.map(unit -> unit.drains().delayed()).orElse(0L));
  }

  private static long ofIotlb(Map<String, Long> invalidations) {
    return invalidations.entrySet().stream()
        .filter(kind -> kind.getKey().startsWith("iotlb"))
        .mapToLong(Map.Entry::getValue)
        .sum();
  }
}
