package dev.sluice.vm.guest;

import dev.sluice.vm.guest.machine.DriverView;
import dev.sluice.vm.guest.machine.HardwareException;
import dev.sluice.vm.guest.machine.Mmio;
import dev.sluice.vm.guest.pci.PciDevice;
import dev.sluice.vm.guest.pci.PciScan;
import dev.sluice.vm.guest.vtd.DmarFault;
import dev.sluice.vm.guest.vtd.VtdUnit;
import dev.sluice.vm.kit.linux.RegisterStep;
import dev.sluice.vm.kit.linux.TestDma;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/// The deliberate mistake: the test device does one DMA to a page that was never mapped for it. One
/// method a check; each returns what was found or throws what was wrong.
final class DmaJob {
  private static final long CANARY_SEED = 0xCA_A2_1EL;

  private final DriverView machine;
  private final TestDma dma;
  private final Duration faultPatience;
  private final byte[] before = new byte[TestDma.CANARY_BYTES];

  /// @param faultPatience how long after the DMA its fault may come
  DmaJob(DriverView machine, TestDma dma, Duration faultPatience) {
    this.machine = machine;
    this.dma = dma;
    this.faultPatience = faultPatience;
  }

  /// Fills the canary and makes the device do its DMA.
  ///
  /// @param devices what the scan found
  String start(List<PciDevice> devices) throws HardwareException {
    PciDevice device = PciScan.find(devices, dma.slot());
    device.enableMemory();
    device.busMaster(true);
    Mmio registers = device.bar(0);
    new SplittableRandom(CANARY_SEED).nextBytes(before);
    machine.ram().write(dma.canary(), before, 0, before.length);
    for (RegisterStep step : dma.steps()) {
      switch (step) {
        case RegisterStep.Write write ->
            registers.write(write.offset(), write.width() / Byte.SIZE, write.value());
        case RegisterStep.Poll poll -> poll(registers, poll);
      }
    }
    return "the DMA to 0x%x was started and ended".formatted(dma.canary());
  }

  private void poll(Mmio registers, RegisterStep.Poll poll) throws HardwareException {
    int bytes = poll.width() / Byte.SIZE;
    boolean reached =
        machine
            .processor()
            .await(
                poll.limit(),
                () -> (registers.read(poll.offset(), bytes) & poll.mask()) == poll.wanted());
    if (!reached) {
      throw new HardwareException(
          "register 0x%x of the test device is 0x%x after %d ms, 0x%x under mask 0x%x was expected"
              .formatted(
                  poll.offset(),
                  registers.read(poll.offset(), bytes),
                  poll.limit().toMillis(),
                  poll.wanted(),
                  poll.mask()));
    }
  }

  private boolean isCanaryUnchanged() {
    byte[] after = new byte[before.length];
    machine.ram().read(dma.canary(), after, 0, after.length);
    return Arrays.equals(before, after);
  }

  /// Without an IOMMU: that the page does notice.
  String arrived() throws HardwareException {
    if (isCanaryUnchanged()) {
      throw new HardwareException(
          "without an IOMMU the DMA did not change 0x%x".formatted(dma.canary()));
    }
    return "without an IOMMU the DMA changed 0x%x".formatted(dma.canary());
  }

  /// With an IOMMU: that the page is as it was.
  String blocked() throws HardwareException {
    if (!isCanaryUnchanged()) {
      throw new HardwareException(
          "the page at 0x%x was changed by a DMA that was never mapped".formatted(dma.canary()));
    }
    return "the page at 0x%x is unchanged".formatted(dma.canary());
  }

  /// With an IOMMU: that the fault event announced exactly what happened.
  String fault(VtdUnit unit) throws HardwareException {
    machine.processor().await(faultPatience, () -> fromTestDevice(unit).isPresent());
    DmarFault fault =
        fromTestDevice(unit)
            .orElseThrow(() ->
                new HardwareException(
                    unit.hasUnannouncedFault()
                        ? "a fault is recorded, but no interrupt announced it"
                        : "no DMAR fault of %s within %d ms"
                            .formatted(dma.slot(), faultPatience.toMillis())));
    for (DmarFault other : unit.faults()) {
      if (!other.source().equals(dma.slot())) {
        throw new HardwareException("a DMAR fault of another device: " + other);
      }
    }
    DmarFault expected =
        new DmarFault(
            dma.slot(), dma.access() == TestDma.Access.READ, dma.canary(), dma.faultReason());
    if (!fault.equals(expected)) {
      throw new HardwareException("expected %s: %s".formatted(expected, fault));
    }
    return "DMAR: " + fault;
  }

  private Optional<DmarFault> fromTestDevice(VtdUnit unit) {
    return unit.faults().stream().filter(fault -> fault.source().equals(dma.slot())).findFirst();
  }
}
