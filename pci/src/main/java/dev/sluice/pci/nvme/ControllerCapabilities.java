package dev.sluice.pci.nvme;

/// CAP, what the controller can do (NVMe 1.4, 3.1.1). All of it is fixed.
///
/// ```
///  63     58 57  56 55    52 51    48 47 46 45  44      37  36   35   32 31   24 23 19 18 17  16  15    0
/// +---------+----+--+--------+--------+-----+---+----------+------+-------+-------+-----+-----+---+-------+
/// |         |CMBS|  | MPSMAX | MPSMIN |     |BPS|   CSS    |NSSRS | DSTRD |  TO   |     | AMS |CQR| MQES  |
/// +---------+----+--+--------+--------+-----+---+----------+------+-------+-------+-----+-----+---+-------+
/// ```
final class ControllerCapabilities {
  /// The most entries of an I/O queue: what solid state drives commonly offer, 64 KiB of a guest's
  /// memory.
  static final int MAX_QUEUE_ENTRIES = 1024;

  /// log2 of the smallest and the largest memory page, 4 KiB and 64 KiB.
  static final int MIN_PAGE_SHIFT = 12;

  static final int MAX_PAGE_SHIFT = 16;

  /// CAP.TO: how long a guest waits for CSTS.RDY to change, in units of 500 ms. A reset waits for
  /// the reads and writes of the image that are under way, and a disk of the host may take seconds
  /// for each.
  private static final long READY_TIMEOUT = 60;

  private static final long CONTIGUOUS_QUEUES_REQUIRED = 1L << 16;
  private static final long NVM_COMMAND_SET = 1L << 37;
  private static final int PAGE_SHIFT_OF_ZERO = 12;

  private ControllerCapabilities() {}

  /// The value of the register. DSTRD = 0: doorbells stand 4 bytes apart.
  static long value() {
    return (MAX_QUEUE_ENTRIES - 1)
        | CONTIGUOUS_QUEUES_REQUIRED
        | READY_TIMEOUT << 24
        | NVM_COMMAND_SET
        | (long) (MIN_PAGE_SHIFT - PAGE_SHIFT_OF_ZERO) << 48
        | (long) (MAX_PAGE_SHIFT - PAGE_SHIFT_OF_ZERO) << 52;
  }
}
