package dev.sluice.models.vtd;

import dev.sluice.models.registers.RegisterBank;

/// Non-recoverable faults and queue errors as the guest sees them, VT-d specification 7.2.1
/// (primary fault logging) and 7.3 (fault event).
///
/// Faults go to the recording registers in turn. A fault whose register still holds an earlier one
/// is lost, and PFO says so; while PFO is set, none is recorded. A fault that a pending record
/// already states word for word adds nothing and is merged into it; the specification would permit
/// to merge all of one requester.
///
/// The event is raised when one of the status bits is set and none was before. All methods want the
/// model's lock held.
final class FaultReporting {
  private final RegisterBank bank;
  private final VtdRegisters registers;
  private final EventInterrupt event;
  private final VtdCounters counters;

  /// The recording register that the next fault goes to.
  private int next;

  FaultReporting(
      RegisterBank bank, VtdRegisters registers, EventInterrupt event, VtdCounters counters) {
    this.bank = bank;
    this.registers = registers;
    this.event = event;
    this.counters = counters;
  }

  /// Records a fault, or that one was lost.
  void record(FaultRecord fault) {
    if ((status() & FaultStatus.PRIMARY_FAULT_OVERFLOW) != 0) {
      counters.faultLost();
      return;
    }
    for (int i = 0; i < registers.faultHigh.size(); i++) {
      if (bank.get(registers.faultHigh.get(i)) == fault.high()
          && bank.get(registers.faultLow.get(i)) == fault.low()) {
        counters.faultMerged();
        return;
      }
    }
    if (isPending(next)) {
      counters.faultLost();
      raise(FaultStatus.PRIMARY_FAULT_OVERFLOW);
      return;
    }
    bank.set(registers.faultLow.get(next), fault.low());
    bank.set(registers.faultHigh.get(next), fault.high());
    counters.faultRecorded();
    if ((status() & FaultStatus.PRIMARY_PENDING_FAULT) == 0) {
      bank.change(
          VtdRegisters.FSTS,
          FaultStatus.FAULT_RECORD_INDEX,
          (long) next << FaultStatus.FAULT_RECORD_INDEX_SHIFT);
      raise(FaultStatus.PRIMARY_PENDING_FAULT);
    }
    next = (next + 1) % registers.faultHigh.size();
  }

  /// The invalidation queue has stopped.
  void queueFailed(QueueError error) {
    bank.set(VtdRegisters.IQERCD, error.code());
    counters.queueFailed();
    raise(FaultStatus.INVALIDATION_QUEUE_ERROR);
  }

  /// Software has written a recording register: PPF is the OR of what is left.
  void recordWritten() {
    for (int i = 0; i < registers.faultHigh.size(); i++) {
      if (isPending(i)) {
        return;
      }
    }
    bank.change(
        VtdRegisters.FSTS, FaultStatus.PRIMARY_PENDING_FAULT | FaultStatus.FAULT_RECORD_INDEX, 0);
    statusWritten();
  }

  /// Software has written the status register: when nothing is left to see to, no message is due
  /// any more.
  void statusWritten() {
    if ((status() & FaultStatus.ANY) == 0) {
      event.serviced();
    }
  }

  void reset() {
    next = 0;
  }

  private void raise(long statusBit) {
    boolean quiet = (status() & FaultStatus.ANY) == 0;
    bank.change(VtdRegisters.FSTS, 0, statusBit);
    if (quiet) {
      event.raise();
    }
  }

  private boolean isPending(int index) {
    return (bank.get(registers.faultHigh.get(index)) & FaultRecord.FAULT) != 0;
  }

  private long status() {
    return bank.get(VtdRegisters.FSTS);
  }
}
