package dev.sluice.vm.guest.vtd;

import dev.sluice.vm.guest.machine.HardwareException;
import dev.sluice.vm.guest.machine.InterruptController.Message;
import dev.sluice.vm.guest.machine.KernelLog;
import dev.sluice.vm.guest.machine.Mmio;
import java.util.ArrayList;
import java.util.List;

/// Receives the fault event and empties the fault records, as Linux's `dmar_fault` does (7.3).
final class FaultHandler {
  private final Mmio registers;
  private final Capabilities capabilities;
  private final KernelLog log;
  private final List<DmarFault> faults = new ArrayList<>();

  FaultHandler(Mmio registers, Capabilities capabilities, KernelLog log) {
    this.registers = registers;
    this.capabilities = capabilities;
    this.log = log;
  }

  /// Tells the hardware which message announces a fault, unmasks it, and drops what firmware left.
  void enable(Message message) throws HardwareException {
    registers.write32(Registers.FAULT_DATA, message.data());
    registers.write32(Registers.FAULT_ADDRESS, (int) message.address());
    registers.write32(Registers.FAULT_UPPER_ADDRESS, (int) (message.address() >>> 32));
    registers.write32(Registers.FAULT_CONTROL, 0);
    int _ = registers.read32(Registers.FAULT_CONTROL);
    handle();
    registers.write32(Registers.FAULT_STATUS, registers.read32(Registers.FAULT_STATUS));
  }

  /// Logs and clears every recorded fault, from the record that FSTS.FRI names on.
  ///
  /// @throws HardwareException when a record cannot be cleared
  void handle() throws HardwareException {
    int status = registers.read32(Registers.FAULT_STATUS);
    if (status == 0) {
      return;
    }
    log.warn("DMAR: DRHD: handling fault status reg %x".formatted(status));
    if ((status & Registers.FAULT_PENDING) == 0) {
      return;
    }
    int records = capabilities.faultRecords();
    int index = status >>> 8 & 0xFF;
    // A record may be filled again while the others are emptied: twice round is more than enough
    // for hardware that works.
    for (int left = 2 * records; ; left--) {
      long record = capabilities.faultRecordOffset() + (long) (index % records) * DmarFault.SIZE;
      int last = registers.read32(record + 12);
      if ((last & DmarFault.FAULT) == 0) {
        break;
      }
      if (left == 0) {
        throw new HardwareException("the fault records are never empty");
      }
      DmarFault fault =
          DmarFault.decode(last, registers.read32(record + 8), registers.read64(record));
      registers.write32(record + 12, DmarFault.FAULT);
      faults.add(fault);
      log.warn("DMAR: " + fault);
      index = (index + 1) % records;
    }
    registers.write32(Registers.FAULT_STATUS, Registers.FAULT_OVERFLOW | Registers.FAULT_PENDING);
  }

  /// Every fault so far, in the order of the records.
  List<DmarFault> faults() {
    return List.copyOf(faults);
  }
}
