package dev.sluice.vm.guest.pci;

import dev.sluice.iommu.RequesterId;
import dev.sluice.vm.guest.machine.Bus;
import dev.sluice.vm.guest.machine.HardwareException;
import java.util.ArrayList;
import java.util.List;

/// Finds the functions of bus 0 and gives their memory BARs addresses, as firmware does.
public final class PciScan {
  /// The window for BARs: above RAM, below the chipset's own registers and the interrupt range.
  private static final long WINDOW_FIRST = 0xE000_0000L;

  private static final long WINDOW_END = 0xFE00_0000L;

  private static final int DEVICES = 32;
  private static final int FUNCTIONS = 8;
  private static final int HEADER_TYPE = 0x0E;
  private static final int MULTI_FUNCTION = 0x80;
  private static final int NO_VENDOR = 0xFFFF;

  /// A page: so that the registers of two functions never share one.
  private static final long SMALLEST_STEP = 4096;

  private final Bus bus;
  private long next = WINDOW_FIRST;

  private PciScan(Bus bus) {
    this.bus = bus;
  }

  /// The functions of bus 0 by their addresses, BARs assigned, memory decoding off as before.
  ///
  /// @throws HardwareException when the BARs do not fit into the window
  public static List<PciDevice> run(Bus bus) throws HardwareException {
    return new PciScan(bus).scan();
  }

  /// The function at an address.
  ///
  /// @param devices what a scan found
  /// @throws HardwareException when there is none
  public static PciDevice find(List<PciDevice> devices, RequesterId address)
      throws HardwareException {
    return devices.stream()
        .filter(device -> device.address().equals(address))
        .findFirst()
        .orElseThrow(() -> new HardwareException("there is no PCI function " + address));
  }

  private List<PciDevice> scan() throws HardwareException {
    List<PciDevice> found = new ArrayList<>();
    for (int device = 0; device < DEVICES; device++) {
      for (int function = 0; function < FUNCTIONS; function++) {
        PciDevice candidate = new PciDevice(bus, RequesterId.of(0, device, function));
        if ((candidate.id() & NO_VENDOR) != NO_VENDOR) {
          assignBars(candidate);
          found.add(candidate);
        }
        if (function == 0 && !isMultiFunction(candidate)) {
          break;
        }
      }
    }
    return List.copyOf(found);
  }

  private static boolean isMultiFunction(PciDevice device) {
    return (device.id() & NO_VENDOR) != NO_VENDOR
        && (device.read(HEADER_TYPE, 1) & MULTI_FUNCTION) != 0;
  }

  private void assignBars(PciDevice device) throws HardwareException {
    for (int index = 0; index < device.barCount(); index++) {
      long size = device.barSize(index);
      boolean wide = device.isBar64(index);
      if (size != 0) {
        device.assignBar(index, place(device, index, size));
      }
      if (wide) {
        index++;
      }
    }
  }

  private long place(PciDevice device, int index, long size) throws HardwareException {
    long step = Math.max(size, SMALLEST_STEP);
    long at = (next + step - 1) & -step;
    if (Long.bitCount(size) != 1 || size < 0 || at + step > WINDOW_END) {
      throw new HardwareException(
          "BAR %d of %s with 0x%x bytes cannot be given an address".formatted(index, device, size));
    }
    next = at + step;
    return at;
  }
}
