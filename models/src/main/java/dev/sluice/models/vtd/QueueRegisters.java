package dev.sluice.models.vtd;

/// Bits of the queued invalidation registers, VT-d specification 11.4.9 (IQH_REG, IQT_REG, IQA_REG,
/// ICS_REG).
///
/// ```
///  63              19 18                    4 3      0
/// +------------------+-----------------------+--------+
/// |        0         |      QH, QT           |   0    |  IQH, IQT: byte offsets of descriptors
/// +------------------+-----------------------+--------+
///  63     HAW HAW-1           12 11         3 2      0
/// +----------+------------------+------------+--------+
/// |    0     |    IQA >> 12     |     0      |   QS   |  IQA: 2^(QS + 8) descriptors
/// +----------+------------------+------------+--------+
///  31                                          1  0
/// +---------------------------------------------+---+
/// |                      0                      |IWC|  ICS: a wait descriptor with IF has completed
/// +---------------------------------------------+---+
/// ```
///
/// The descriptor width bit (IQA 11) is for scalable mode and reserved here: descriptors have 128
/// bits.
final class QueueRegisters {
  static final long POINTER_MASK = 0x7FFF0L;
  static final long QUEUE_SIZE_MASK = 7;
  static final long WAIT_COMPLETE = 1;

  private QueueRegisters() {}

  /// Where the queue starts.
  static long base(long queueAddress) {
    return queueAddress & ~0xFFFL;
  }

  /// Bytes of the queue.
  static long bytes(long queueAddress) {
    return 1L << (8 + (queueAddress & QUEUE_SIZE_MASK)) << 4;
  }
}
