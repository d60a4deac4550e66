package dev.sluice.vm;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// What to boot, and how.
///
/// @param guest a real Linux in QEMU, or the guest in this process
/// @param iommu which IOMMU stands before the devices
/// @param invalidation when the guest's DMA layer waits for invalidations
/// @param disk the disk's raw image, which the guest writes to; empty: one made for this boot, with
///   known content
/// @param kernel a guest kernel of the user's own; empty: Debian's
/// @param initrd an initramfs of the user's own, whose checks are its own affair; empty: the one
///   with Sluice's checks
/// @param append words added to the kernel's command line
/// @param memoryMib RAM of the guest in MiB
/// @param accelerator what QEMU executes the guest with
/// @param interactive whether the user gets a shell on the guest after its checks
/// @param offline whether to use only what is in the cache already
/// @param patience how long the whole guest may take
public record BootOptions(
    Guest guest,
    IommuKind iommu,
    Invalidation invalidation,
    Optional<Path> disk,
    Optional<Path> kernel,
    Optional<Path> initrd,
    List<String> append,
    int memoryMib,
    Accelerator accelerator,
    boolean interactive,
    boolean offline,
    Duration patience) {

  /// Least RAM in MiB that Debian's kernel and the initramfs start in.
  public static final int MIN_MEMORY_MIB = 256;

  /// Most RAM in MiB: beyond it the guest's RAM would be split around the 32-bit hole in ways
  /// nobody has tried.
  public static final int MAX_MEMORY_MIB = 65_536;

  /// Who the guest is.
  public enum Guest {
    /// Linux in a QEMU, over vfio-user. Where no QEMU can be had, the in-process guest takes its
    /// place, and the report says so.
    QEMU,
    /// A small driver in this process that programs the same registers.
    IN_PROCESS
  }

  /// Which IOMMU.
  public enum IommuKind {
    /// Intel VT-d, legacy mode.
    VTD,
    /// None: the devices reach guest-physical memory.
    NONE
  }

  /// When the guest waits for invalidations.
  public enum Invalidation {
    /// At each unmap.
    STRICT,
    /// In batches.
    LAZY
  }

  /// What QEMU executes the guest with.
  public enum Accelerator {
    /// Translation; works everywhere.
    TCG,
    /// The kernel's virtual machine, if it runs such a guest; given up on within seconds, and TCG
    /// used, if not.
    KVM
  }

  /// Checks the ranges.
  public BootOptions {
    append = List.copyOf(append);
    if (memoryMib < MIN_MEMORY_MIB || memoryMib > MAX_MEMORY_MIB) {
      throw new IllegalArgumentException(
          "guest memory must be %d to %d MiB: %d"
              .formatted(MIN_MEMORY_MIB, MAX_MEMORY_MIB, memoryMib));
    }
    if (patience.isNegative() || patience.isZero()) {
      throw new IllegalArgumentException("patience must be positive: " + patience);
    }
  }

  /// A Linux guest behind VT-d in strict mode with 512 MiB, on a disk of its own.
  public static BootOptions defaults() {
    return new BootOptions(
        Guest.QEMU,
        IommuKind.VTD,
        Invalidation.STRICT,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        List.of(),
        512,
        Accelerator.TCG,
        false,
        false,
        Duration.ofMinutes(3));
  }

  /// The same with another accelerator.
  BootOptions with(Accelerator other) {
    return new BootOptions(
        guest,
        iommu,
        invalidation,
        disk,
        kernel,
        initrd,
        append,
        memoryMib,
        other,
        interactive,
        offline,
        patience);
  }
}
