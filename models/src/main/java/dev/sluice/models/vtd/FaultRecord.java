package dev.sluice.models.vtd;

import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;

/// What a fault recording register holds, VT-d specification 11.4.7.6 (FRCD_REG).
///
/// ```
///  127 126 125 124 123     104 103  96 95     93 92  91       80 79       64
/// +---+---+-------+-----------+-------+---------+---+-----------+-----------+
/// | F |T1 | AT 0  |     0     |  FR   |    0    |T2 |     0     |    SID    |  high
/// +---+---+-------+-----------+-------+---------+---+-----------+-----------+
///  63                                                12 11                0
/// +----------------------------------------------------+------------------+
/// |                     FI >> 12                       |        0         |  low
/// +----------------------------------------------------+------------------+
/// ```
///
/// F: set when the rest is recorded, cleared by writing 1. T1, T2: 0, 0 a write; 1, 0 a read; 1, 1
/// an access that reads and writes (AtomicOp). FR: the reason, [FaultCode]. SID: the requester. FI:
/// the page of the faulted address; its bits from the guest address width up are zero.
///
/// @param low bits 63:0
/// @param high bits 127:64, with F
record FaultRecord(long low, long high) {
  /// Bytes of a recording register.
  static final int BYTES = 16;

  /// F, in the high half.
  static final long FAULT = 1L << 63;

  private static final long TYPE_1 = 1L << 62;
  private static final long TYPE_2 = 1L << 28;
  private static final long PAGE = ((1L << Capabilities.GUEST_ADDRESS_WIDTH) - 1) & ~0xFFFL;

  static FaultRecord of(RequesterId requester, long iova, Access access, int reason) {
    long type =
        switch (access) {
          case WRITE -> 0;
          case READ -> TYPE_1;
          case READ_WRITE -> TYPE_1 | TYPE_2;
        };
    return new FaultRecord(iova & PAGE, FAULT | type | (long) reason << 32 | requester.value());
  }
}
