package dev.sluice.vm;

import dev.sluice.vm.check.GuestCheck;
import dev.sluice.vm.kit.linux.DiskWrite;
import dev.sluice.vm.kit.linux.GuestParameters;
import dev.sluice.vm.kit.linux.GuestReport;
import dev.sluice.vm.kit.linux.TestDma;
import dev.sluice.vm.kit.linux.WrittenData;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What a guest is asked to do in a boot, the same for a real Linux and for the in-process guest,
/// and what to think of its answer.
///
/// @param disk the guest's
/// @param parameters what the guest is told; an initramfs of the user's own is told nothing
/// @param expected the checks that the guest has to report; empty where it chooses them itself
record Job(DiskImage disk, GuestParameters parameters, Set<String> expected) {
  /// Guest-physical address of the page that the deliberate DMA aims at: in low RAM, which every
  /// guest has, and above what a kernel needs early.
  private static final long CANARY = 0x0800_0000;

  /// The job of a boot. A user's disk is only read; one made for this run is also written, in its
  /// second half. An initramfs of the user's own knows none of this and makes checks of its own.
  ///
  /// @param userDriver whether the guest can have a driver in its user space; counts only where
  ///   [#wantsUserDriver]
  static Job of(BootOptions options, DiskImage disk, boolean userDriver) {
    boolean ownChecks = options.initrd().isPresent();
    List<DiskWrite> writes =
        disk.scratch() && !ownChecks
            ? DiskWrite.plan(disk.bytes() / 2, disk.bytes() / 2)
            : List.of();
    TestDma mistake =
        new TestDma(
            Place.TEST_DEVICE.requester(),
            CANARY,
            TestDma.Access.WRITE,
            SluiceDevices.FAULT_NOT_WRITABLE,
            TestDeviceSteps.write(CANARY, TestDma.CANARY_BYTES));
    GuestParameters parameters =
        new GuestParameters(
            iommu(options),
            invalidation(options),
            new GuestParameters.Disk(Place.NVME.requester(), disk.bytes(), disk.sha256()),
            writes,
            Optional.of(mistake),
            userDriver && wantsUserDriver(options)
                ? Optional.of(Place.TEST_DEVICE.requester())
                : Optional.empty(),
            options.interactive());
    return new Job(disk, parameters, ownChecks ? Set.of() : parameters.expectedChecks());
  }

  /// Whether a boot with these options takes a page away from a device, which is a driver's work.
  static boolean wantsUserDriver(BootOptions options) {
    return options.iommu() != BootOptions.IommuKind.NONE && options.initrd().isEmpty();
  }

  /// The IOMMU that the guest must see.
  static GuestParameters.Iommu iommu(BootOptions options) {
    return options.iommu() == BootOptions.IommuKind.VTD
        ? GuestParameters.Iommu.VTD
        : GuestParameters.Iommu.NONE;
  }

  /// The policy that the guest must follow.
  static GuestParameters.Invalidation invalidation(BootOptions options) {
    return options.invalidation() == BootOptions.Invalidation.STRICT
        ? GuestParameters.Invalidation.STRICT
        : GuestParameters.Invalidation.LAZY;
  }

  /// Whether an IOMMU stands before the devices.
  boolean hasIommu() {
    return parameters.iommu() != GuestParameters.Iommu.NONE;
  }

  /// The guest's checks, those that it left out as failed ones, and the host's own look at the
  /// disk. To be called when the guest and its devices have ended.
  List<GuestCheck> judge(GuestReport report) throws IOException {
    List<GuestCheck> checks = new ArrayList<>(report.judge(expected));
    if (report.checks().isEmpty()) {
      checks.add(
          GuestCheck.fail(
              "checks",
              "the guest reported none on its second serial port (docs/guest.md has the lines)"));
    }
    if (!parameters.writes().isEmpty()) {
      checks.add(WrittenData.check(disk.file(), parameters.writes(), report.written()));
    }
    return checks;
  }
}
