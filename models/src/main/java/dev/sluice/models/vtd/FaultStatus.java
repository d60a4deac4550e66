package dev.sluice.models.vtd;

/// Bits of the fault status register, VT-d specification 11.4.7.1 (FSTS_REG).
///
/// ```
///  31            16 15       8 7  6   5   4   3  2  1   0
/// +----------------+----------+--+---+---+---+--+--+---+---+
/// |       0        |   FRI    | 0| 0 | 0 |IQE| 0| 0|PPF|PFO|
/// +----------------+----------+--+---+---+---+--+--+---+---+
/// ```
///
/// PFO: faults were lost, as no recording register was free. PPF: some recording register has a
/// fault; FRI is the first of them. IQE: the invalidation queue stopped at an error. ITE and ICE
/// (6, 5) need device TLBs, PRO (7) page requests: none here.
final class FaultStatus {
  static final long PRIMARY_FAULT_OVERFLOW = 1;
  static final long PRIMARY_PENDING_FAULT = 1L << 1;
  static final long INVALIDATION_QUEUE_ERROR = 1L << 4;
  static final int FAULT_RECORD_INDEX_SHIFT = 8;
  static final long FAULT_RECORD_INDEX = 0xFFL << FAULT_RECORD_INDEX_SHIFT;

  /// What software clears by writing 1; PPF follows from the recording registers.
  static final long CLEARED_BY_ONE = PRIMARY_FAULT_OVERFLOW | INVALIDATION_QUEUE_ERROR;

  /// Every bit that stands for something software has to see to.
  static final long ANY = CLEARED_BY_ONE | PRIMARY_PENDING_FAULT;

  private FaultStatus() {}
}
