package dev.sluice.vm.guest.vtd;

import dev.sluice.vm.guest.machine.DriverView;
import dev.sluice.vm.guest.machine.HardwareException;
import dev.sluice.vm.guest.machine.Mmio;
import dev.sluice.vm.guest.machine.Ram;

/// The queue by which the driver tells the hardware what to forget (6.5.2), used as Linux's
/// `qi_submit_sync` does: each submission ends with a wait descriptor, and returns once that has
/// written its status.
final class InvalidationQueue {
  /// Descriptors in a page of memory: the size that IQA.QS = 0 stands for.
  private static final int LENGTH = 256;

  private static final int DESCRIPTOR = 16;
  private static final int IN_USE = 1;
  private static final int DONE = 2;
  private static final int ERRORS =
      Registers.QUEUE_ERROR | Registers.COMPLETION_ERROR | Registers.TIMEOUT_ERROR;

  private final DriverView machine;
  private final Mmio registers;
  private final long queue;

  /// One word of status for each descriptor of the queue.
  private final long statuses;

  private int tail;

  /// A queue in fresh memory that the hardware does not know yet.
  InvalidationQueue(DriverView machine, Mmio registers) throws HardwareException {
    this.machine = machine;
    this.registers = registers;
    queue = machine.pages().allocateZeroed();
    statuses = machine.pages().allocateZeroed();
  }

  /// Tells the hardware where the queue is. It must not be enabled yet.
  void program() {
    tail = 0;
    registers.write32(Registers.QUEUE_TAIL, 0);
    registers.write64(Registers.QUEUE_ADDRESS, queue);
  }

  /// Has the hardware do what the descriptors say, and waits for it.
  ///
  /// @throws HardwareException when it reports an error or does not complete
  void submit(Descriptor... descriptors) throws HardwareException {
    begin(descriptors).await();
  }

  /// Has the hardware do what the descriptors say. No more of these may be under way than the queue
  /// has room for.
  Submission begin(Descriptor... descriptors) {
    int first = tail;
    for (Descriptor descriptor : descriptors) {
      append(descriptor);
    }
    Ram ram = machine.ram();
    long status = statuses + (long) tail * Integer.BYTES;
    ram.store32(status, IN_USE);
    append(Descriptor.waitWriting(DONE, status));
    registers.write32(Registers.QUEUE_TAIL, tail * DESCRIPTOR);
    return new Submission(first, tail, status);
  }

  /// Descriptors that the hardware works on.
  final class Submission {
    private final int first;
    private final int end;
    private final long status;

    private Submission(int first, int end, long status) {
      this.first = first;
      this.end = end;
      this.status = status;
    }

    /// Whether the hardware has done what they say.
    ///
    /// @throws HardwareException when it reports an error
    boolean isComplete() throws HardwareException {
      if (machine.ram().load32(status) == DONE) {
        return true;
      }
      checkErrors();
      return false;
    }

    /// Waits until it has.
    ///
    /// @throws HardwareException when it reports an error or does not complete
    void await() throws HardwareException {
      machine
          .processor()
          .await(
              "the invalidation queue did not complete its descriptors from %d to %d"
                  .formatted(first, end),
              this::isComplete);
    }
  }

  private void append(Descriptor descriptor) {
    long at = queue + (long) tail * DESCRIPTOR;
    machine.ram().store64(at, descriptor.low());
    machine.ram().store64(at + Long.BYTES, descriptor.high());
    tail = (tail + 1) % LENGTH;
  }

  private void checkErrors() throws HardwareException {
    int errors = registers.read32(Registers.FAULT_STATUS) & ERRORS;
    if (errors == 0) {
      return;
    }
    int head = registers.read32(Registers.QUEUE_HEAD) / DESCRIPTOR;
    registers.write32(Registers.FAULT_STATUS, errors);
    long at = queue + (long) (head % LENGTH) * DESCRIPTOR;
    throw new HardwareException(
        "the invalidation queue stopped at descriptor %d (0x%x 0x%x): %s"
            .formatted(
                head,
                machine.ram().load64(at),
                machine.ram().load64(at + Long.BYTES),
                describe(errors)));
  }

  private static String describe(int errors) {
    if ((errors & Registers.QUEUE_ERROR) != 0) {
      return "invalid descriptor";
    }
    return (errors & Registers.TIMEOUT_ERROR) != 0
        ? "a device did not answer in time"
        : "a device answered something else";
  }
}
