package dev.sluice.cli;

import dev.sluice.vm.BootOptions;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options that say what machine the guest finds.
final class PlatformOptions {
  @Option(
      names = "--iommu",
      paramLabel = "KIND",
      defaultValue = "vtd",
      converter = Choice.OfIommu.class,
      description =
          "What stands between the devices and memory. 'vtd': Intel VT-d. 'none': nothing "
              + "(default: ${DEFAULT-VALUE}).")
  private BootOptions.IommuKind iommu = BootOptions.IommuKind.VTD;

  @Option(
      names = "--invalidation",
      paramLabel = "MODE",
      converter = Choice.OfInvalidation.class,
      description =
          "When the guest invalidates what it has unmapped. 'strict': at once. 'lazy': in batches "
              + "(default: strict; to measure, lazy, as Linux does if nobody tells it).")
  private BootOptions.@Nullable Invalidation invalidation;

  @Option(
      names = "--disk",
      paramLabel = "FILE",
      description =
          "Raw image of the guest's NVMe disk, 1 MiB or larger. The guest may write to "
              + "it. Default: one made for the run, with known content.")
  private @Nullable Path disk;

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      defaultValue = "512M",
      converter = MemorySize.class,
      description = "The guest's RAM: 512 or 512M (MiB), 2G (GiB) (default: ${DEFAULT-VALUE}).")
  private int memoryMib;

  PlatformOptions() {}

  BootOptions.IommuKind iommu() {
    return iommu;
  }

  /// @param untold what holds if the command line does not say
  BootOptions.Invalidation invalidation(BootOptions.Invalidation untold) {
    return invalidation == null ? untold : invalidation;
  }

  Optional<Path> disk() {
    return Optional.ofNullable(disk);
  }

  int memoryMib() {
    return memoryMib;
  }
}
