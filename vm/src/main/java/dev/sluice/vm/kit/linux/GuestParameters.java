package dev.sluice.vm.kit.linux;

import dev.sluice.iommu.RequesterId;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// What the guest's script is told: which devices to look at and what it must find.
///
/// Reaches the guest as a file of shell assignments in its initramfs. Every value is a number, a
/// name from a fixed set or hexadecimal digits, so none needs quoting.
///
/// @param iommu which IOMMU the guest must see
/// @param invalidation the policy that its DMA domains must have
/// @param disk the NVMe disk and its contents
/// @param writes what the guest writes to the disk; empty for a disk that must stay as it is
/// @param testDma the deliberate mistake, or empty without a test device
/// @param holder the test device, if a driver in user space shall take a page away from it while it
///   holds the page; needs an IOMMU
/// @param interactive whether a shell follows the checks
public record GuestParameters(
    Iommu iommu,
    Invalidation invalidation,
    Disk disk,
    List<DiskWrite> writes,
    Optional<TestDma> testDma,
    Optional<RequesterId> holder,
    boolean interactive) {

  /// The IOMMU that the guest must see in front of its devices.
  public enum Iommu {
    /// Intel VT-d: a DMAR unit that uses queued invalidation.
    VTD,
    /// None: the devices must be in no IOMMU group.
    NONE
  }

  /// When Linux's DMA layer waits for an invalidation (`iommu.strict=`).
  public enum Invalidation {
    /// At every unmap; the group's type is `DMA`.
    STRICT,
    /// In batches, up to 10 ms later; the group's type is `DMA-FQ`. Linux falls back to strict by
    /// itself when the VT-d reports caching mode (CAP.CM).
    LAZY
  }

  /// The NVMe disk.
  ///
  /// @param slot where its controller is
  /// @param bytes size of its only namespace
  /// @param sha256 of its contents before the guest wrote to it: 64 lower-case hexadecimal digits
  public record Disk(RequesterId slot, long bytes, String sha256) {
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

    /// @throws IllegalArgumentException if the size is not positive or the checksum has another
    ///   form
    public Disk {
      if (bytes <= 0) {
        throw new IllegalArgumentException("a disk of " + bytes + " bytes");
      }
      if (!SHA256.matcher(sha256).matches()) {
        throw new IllegalArgumentException("not a SHA-256 in lower-case hexadecimal: " + sha256);
      }
    }
  }

  /// @throws IllegalArgumentException if a write reaches past the end of the disk, or there is a
  ///   holder without an IOMMU
  public GuestParameters {
    if (holder.isPresent() && iommu == Iommu.NONE) {
      throw new IllegalArgumentException("without an IOMMU no page can be taken away");
    }
    writes = List.copyOf(writes);
    for (DiskWrite write : writes) {
      if (write.offset() > disk.bytes() - write.bytes()) {
        throw new IllegalArgumentException(write + " on a disk of " + disk.bytes() + " bytes");
      }
    }
  }

  /// The names of the checks that a whole run reports, in their order. A report that lacks one has
  /// not passed, whatever else it says.
  public Set<String> expectedChecks() {
    Set<String> names = new LinkedHashSet<>();
    if (iommu == Iommu.NONE) {
      names.add("no-iommu");
    } else {
      names.add("dmar-unit");
      names.add("queued-invalidation");
    }
    names.add("disk-found");
    if (iommu != Iommu.NONE) {
      names.add("iommu-group");
    }
    names.add("disk-read");
    if (!writes.isEmpty()) {
      names.add("disk-write");
    }
    names.add("rebind");
    if (testDma.isPresent()) {
      names.add("test-device");
      if (iommu == Iommu.NONE) {
        names.add("dma-arrived");
      } else {
        names.add("dma-blocked");
        names.add("dma-fault");
      }
    }
    if (holder.isPresent()) {
      names.add("unmap-waits");
      names.add("unmap-revokes");
    }
    names.add("kernel-log");
    return names;
  }

  /// The kernel's command line that goes with these parameters: consoles, IOMMU mode, the canary's
  /// page, and a panic that ends the machine at once.
  public List<String> kernelArguments() {
    List<String> arguments = new ArrayList<>();
    arguments.add("console=ttyS0");
    arguments.add("panic=-1");
    arguments.addAll(iommuArguments(iommu, invalidation));
    testDma.map(TestDma::kernelArgument).ifPresent(arguments::add);
    return List.copyOf(arguments);
  }

  /// The words of the kernel's command line that choose its IOMMU driver and policy.
  public static List<String> iommuArguments(Iommu iommu, Invalidation invalidation) {
    return List.of(
        // Without an IOMMU the option keeps Linux from using one that QEMU might bring by itself.
        iommu == Iommu.NONE ? "intel_iommu=off" : "intel_iommu=on",
        // Interrupt remapping would claim the IOMMU's registers before PCI has listed its BAR.
        "intremap=off",
        "iommu.strict=" + (invalidation == Invalidation.STRICT ? 1 : 0));
  }

  /// The text of `/sluice/parameters`.
  String file() {
    StringBuilder text = new StringBuilder();
    line(text, "IOMMU", iommu.name().toLowerCase(Locale.ROOT));
    line(text, "INVALIDATION", invalidation.name().toLowerCase(Locale.ROOT));
    line(text, "DISK_DEVICE", linuxName(disk.slot()));
    line(text, "DISK_BYTES", Long.toString(disk.bytes()));
    line(text, "DISK_SHA256", disk.sha256());
    line(
        text, "WRITES", writes.stream().map(DiskWrite::parameter).collect(Collectors.joining(" ")));
    line(text, "TEST_DEVICE", testDma.map(dma -> linuxName(dma.slot())).orElse(""));
    line(text, "CANARY", testDma.map(dma -> "0x" + Long.toHexString(dma.canary())).orElse(""));
    line(text, "FAULT_KIND", testDma.map(dma -> dma.access().linuxWord()).orElse(""));
    line(
        text,
        "FAULT_REASON",
        testDma.map(dma -> String.format(Locale.ROOT, "0x%02x", dma.faultReason())).orElse(""));
    line(text, "HOLDER", holder.map(GuestParameters::linuxName).orElse(""));
    line(text, "INTERACTIVE", interactive ? "1" : "0");
    return text.toString();
  }

  /// The text of `/sluice/test-device.regs`.
  String registerFile() {
    return testDma.stream()
        .flatMap(dma -> dma.steps().stream())
        .map(step -> step.line() + "\n")
        .collect(Collectors.joining());
  }

  /// The function's name in Linux's sysfs; segment 0 is the only one of a q35.
  static String linuxName(RequesterId slot) {
    return "0000:" + slot;
  }

  /// Adds a shell assignment.
  static void line(StringBuilder text, String name, String value) {
    text.append(name).append("='").append(value).append("'\n");
  }
}
