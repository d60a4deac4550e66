package dev.sluice.models.vtd;

import dev.sluice.models.registers.ModelLock;
import dev.sluice.models.registers.Register;
import dev.sluice.models.registers.RegisterBank;

/// One of the unit's own interrupts, VT-d specification 7.3 (fault event) and 6.5.2.11
/// (invalidation completion event): a control register, and the address and data of a message.
///
/// ```
///  31 30 29                                          0
/// +--+--+---------------------------------------------+
/// |IM|IP|                      0                      |  FECTL, IECTL
/// +--+--+---------------------------------------------+
/// ```
///
/// IM masks the message. IP is set while a message is due: from the event until it is sent, which
/// is at once unless masked, or until software has seen to the event's cause. All methods want the
/// model's lock held.
final class EventInterrupt {
  static final long MASK = 1L << 31;
  static final long PENDING = 1L << 30;

  private final ModelLock lock;
  private final RegisterBank bank;
  private final InterruptSink sink;
  private final InterruptSink.Event event;
  private final Register control;
  private final Register data;
  private final Register address;
  private final Register upperAddress;

  EventInterrupt(
      ModelLock lock,
      RegisterBank bank,
      InterruptSink sink,
      InterruptSink.Event event,
      Register control,
      Register data,
      Register address,
      Register upperAddress) {
    this.lock = lock;
    this.bank = bank;
    this.sink = sink;
    this.event = event;
    this.control = control;
    this.data = data;
    this.address = address;
    this.upperAddress = upperAddress;
  }

  /// An event that is a new interrupt condition.
  void raise() {
    bank.change(control, 0, PENDING);
    sendIfDue();
  }

  /// Software has seen to whatever could be pending.
  void serviced() {
    bank.change(control, PENDING, 0);
  }

  /// Software has written the control register.
  void controlWritten() {
    sendIfDue();
  }

  private void sendIfDue() {
    if ((bank.get(control) & (MASK | PENDING)) != PENDING) {
      return;
    }
    bank.change(control, PENDING, 0);
    long to = bank.get(upperAddress) << 32 | bank.get(address);
    int message = (int) bank.get(data);
    lock.defer(() -> sink.sendEvent(event, to, message));
  }
}
