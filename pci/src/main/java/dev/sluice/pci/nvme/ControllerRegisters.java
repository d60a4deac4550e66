package dev.sluice.pci.nvme;

import dev.sluice.pci.DwordRegisters;
import java.util.Arrays;
import java.util.function.IntConsumer;
import java.util.function.IntSupplier;

/// BAR 0: the controller's registers and the doorbells (NVMe 1.4, 3.1).
///
/// | offset | register | | |
/// |---|---|---|---|
/// | 00h | CAP | controller capabilities | read-only, 64 bits |
/// | 08h | VS | version 1.4.0 | read-only |
/// | 0Ch, 10h | INTMS, INTMC | interrupt mask set and clear | without effect on MSI-X |
/// | 14h | CC | controller configuration | |
/// | 1Ch | CSTS | controller status | read-only |
/// | 24h | AQA | admin queue attributes | |
/// | 28h, 30h | ASQ, ACQ | admin queue base addresses | 64 bits |
/// | 1000h + 8 y | SQyTDBL | submission queue y tail doorbell | write-only |
/// | 1004h + 8 y | CQyHDBL | completion queue y head doorbell | write-only |
///
/// What is not listed reads as 0 and ignores writes. Registers are accessed as aligned dwords or
/// qwords; a write of another size or alignment, which the specification leaves undefined, is
/// ignored.
final class ControllerRegisters extends DwordRegisters {
  /// VS: 1.4.0.
  static final int VERSION = 0x0001_0400;

  /// Bytes up to the first doorbell.
  static final int DOORBELLS = 0x1000;

  private static final int DECLARED = 0x38;
  private static final int QUEUE_SIZES = 0x0fff_0fff;
  private static final int PAGE_MASK = ~0xfff;
  private static final Register ABSENT = new Register(() -> 0, _ -> {});

  private final Doorbells doorbells;
  private final Register[] registers = new Register[DECLARED / Integer.BYTES];

  private int interruptMask;
  private volatile int adminQueueAttributes;
  private volatile long adminSubmissionQueue;
  private volatile long adminCompletionQueue;

  /// A dword of the register file.
  private record Register(IntSupplier read, IntConsumer write) {}

  ControllerRegisters(Lifecycle lifecycle, Doorbells doorbells) {
    this.doorbells = doorbells;
    Arrays.fill(registers, ABSENT);
    long capabilities = ControllerCapabilities.value();
    readOnly(0x00, () -> (int) capabilities);
    readOnly(0x04, () -> (int) (capabilities >>> 32));
    readOnly(0x08, () -> VERSION);
    declare(0x0c, () -> interruptMask, value -> interruptMask |= value);
    declare(0x10, () -> interruptMask, value -> interruptMask &= ~value);
    declare(
        0x14,
        () -> lifecycle.configuration().bits(),
        value -> lifecycle.configure(ControllerConfiguration.written(value)));
    readOnly(0x1c, lifecycle::status);
    declare(0x24, () -> adminQueueAttributes, value -> adminQueueAttributes = value & QUEUE_SIZES);
    declare(
        0x28,
        () -> (int) adminSubmissionQueue,
        value -> adminSubmissionQueue = low(adminSubmissionQueue, value & PAGE_MASK));
    declare(
        0x2c,
        () -> (int) (adminSubmissionQueue >>> 32),
        value -> adminSubmissionQueue = high(adminSubmissionQueue, value));
    declare(
        0x30,
        () -> (int) adminCompletionQueue,
        value -> adminCompletionQueue = low(adminCompletionQueue, value & PAGE_MASK));
    declare(
        0x34,
        () -> (int) (adminCompletionQueue >>> 32),
        value -> adminCompletionQueue = high(adminCompletionQueue, value));
  }

  /// Bytes of the BAR for queues up to `highestQueue`: a power of two.
  static long barSize(int highestQueue) {
    long end = DOORBELLS + (highestQueue + 1L) * 2 * Integer.BYTES;
    return Long.highestOneBit(end - 1) << 1;
  }

  /// ASQ.
  long adminSubmissionQueue() {
    return adminSubmissionQueue;
  }

  /// ACQ.
  long adminCompletionQueue() {
    return adminCompletionQueue;
  }

  /// AQA.ASQS as a number of entries, 1 to 4096.
  int adminSubmissionEntries() {
    return (adminQueueAttributes & 0xfff) + 1;
  }

  /// AQA.ACQS as a number of entries, 1 to 4096.
  int adminCompletionEntries() {
    return (adminQueueAttributes >>> 16) + 1;
  }

  /// The values after a reset from outside; a controller reset keeps AQA, ASQ and ACQ (NVMe 1.4,
  /// 7.3.2).
  void reset() {
    interruptMask = 0;
    adminQueueAttributes = 0;
    adminSubmissionQueue = 0;
    adminCompletionQueue = 0;
  }

  @Override
  protected int readDword(long offset) {
    return offset < DECLARED ? registers[(int) (offset >>> 2)].read.getAsInt() : 0;
  }

  @Override
  protected void writeDword(long offset, int value) {
    if (offset < DECLARED) {
      registers[(int) (offset >>> 2)].write.accept(value);
    } else if (offset >= DOORBELLS) {
      doorbells.ring((int) (offset - DOORBELLS) / Integer.BYTES, value);
    }
  }

  private void readOnly(int offset, IntSupplier read) {
    declare(offset, read, _ -> {});
  }

  private void declare(int offset, IntSupplier read, IntConsumer write) {
    registers[offset / Integer.BYTES] = new Register(read, write);
  }

  private static long low(long register, int value) {
    return (register & ~0xffff_ffffL) | Integer.toUnsignedLong(value);
  }

  private static long high(long register, int value) {
    return (register & 0xffff_ffffL) | (long) value << 32;
  }
}
