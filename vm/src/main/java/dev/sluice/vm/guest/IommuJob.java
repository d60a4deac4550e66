package dev.sluice.vm.guest;

import dev.sluice.iommu.RequesterId;
import dev.sluice.vm.guest.dma.DmaMapper;
import dev.sluice.vm.guest.machine.DriverView;
import dev.sluice.vm.guest.machine.HardwareException;
import dev.sluice.vm.guest.pci.PciDevice;
import dev.sluice.vm.guest.vtd.FirmwareTable;
import dev.sluice.vm.guest.vtd.Flushing;
import dev.sluice.vm.guest.vtd.VtdDomain;
import dev.sluice.vm.guest.vtd.VtdUnit;
import dev.sluice.vm.kit.linux.GuestParameters.Invalidation;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The IOMMU's part of the job: found, started, in front of the devices. One method a check; each
/// returns what was found or throws what was wrong.
final class IommuJob {
  private final FirmwareTable table;
  private final VtdUnit unit;
  private final Invalidation invalidation;
  private final Map<RequesterId, VtdDomain> domains = new HashMap<>();

  /// Finds the unit that firmware's table names.
  ///
  /// @param dmarTable without its ACPI header
  /// @throws HardwareException when there is none, or none that can be used
  IommuJob(DriverView machine, byte[] dmarTable, Invalidation invalidation)
      throws HardwareException {
    this.invalidation = invalidation;
    table = FirmwareTable.read(dmarTable);
    unit = new VtdUnit(machine, table.registerBase());
  }

  VtdUnit unit() {
    return unit;
  }

  String found() {
    return unit.description();
  }

  String queue() throws HardwareException {
    unit.enableQueue();
    return "DMAR: dmar0: Using Queued invalidation";
  }

  /// Gives each function that the table names an address space of its own, and turns translation
  /// on.
  ///
  /// @return how many functions are behind the unit
  int enable(List<PciDevice> devices) throws HardwareException {
    Flushing flushing = invalidation == Invalidation.STRICT ? Flushing.STRICT : Flushing.LAZY;
    unit.setRootTable();
    for (PciDevice device : devices) {
      if (table.endpoints().contains(device.address())) {
        domains.put(device.address(), unit.attach(device.address(), flushing));
      }
    }
    unit.enableTranslation();
    return domains.size();
  }

  /// A function's way to memory: through its domain, or direct if it is not behind the unit.
  DmaMapper mapper(RequesterId function) {
    VtdDomain domain = domains.get(function);
    return domain == null ? DmaMapper.direct() : domain;
  }

  /// Takes a function from the kernel's domain and gives it one of its own that is flushed at each
  /// unmap, as VFIO does for a driver in user space.
  VtdDomain ownDomain(RequesterId function) throws HardwareException {
    if (domains.remove(function) == null) {
      throw new HardwareException(function + " is in no IOMMU group");
    }
    unit.detach(function);
    VtdDomain own = unit.attach(function, Flushing.STRICT);
    domains.put(function, own);
    return own;
  }

  String group(RequesterId function) throws HardwareException {
    VtdDomain domain = domains.get(function);
    if (domain == null) {
      throw new HardwareException(function + " is in no IOMMU group");
    }
    if (!unit.isTranslating()) {
      throw new HardwareException("the IOMMU says that its translation is off");
    }
    String type = domain.flushing() == Flushing.STRICT ? "DMA" : "DMA-FQ";
    String wanted = invalidation == Invalidation.STRICT ? "DMA" : "DMA-FQ";
    if (!type.equals(wanted)) {
      throw new HardwareException(
          "%s is in a group of type %s, expected %s".formatted(function, type, wanted));
    }
    return "%s is in domain %d of type %s".formatted(function, domain.id(), type);
  }
}
