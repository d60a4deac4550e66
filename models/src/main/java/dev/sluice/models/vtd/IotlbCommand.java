package dev.sluice.models.vtd;

import org.jspecify.annotations.Nullable;

/// The IOTLB invalidate and invalidate address registers, VT-d specification 11.4.8 (IOTLB_REG,
/// IVA_REG).
///
/// ```
///  63  62 61 60 59 58 57 56    50 49 48 47      32 31               0
/// +---+--+-----+--+-----+--------+--+--+----------+------------------+
/// |IVT| 0|IIRG | 0|IAIG |   0    |DR|DW|   DID    |        0         |  IOTLB
/// +---+--+-----+--+-----+--------+--+--+----------+------------------+
///  63                              12 11        7  6  5            0
/// +-----------------------------------+----------+---+--------------+
/// |             ADDR >> 12            |    0     |IH |      AM      |  IVA
/// +-----------------------------------+----------+---+--------------+
/// ```
///
/// IVT: set by the guest to start, cleared by the unit when the invalidation is complete. IIRG: 1
/// global, 2 domain, 3 pages. IAIG: what was done, in the same numbers; 0 when the request was
/// ignored. DR and DW: reads and writes are drained whatever these bits say. AM: log2 of the pages.
/// IH: only leaf entries have changed, so the tables that lead to them are kept in the cache
/// ([PdeCaches]).
final class IotlbCommand {
  static final long INVALIDATE = 1L << 63;
  static final int REQUESTED_SHIFT = 60;
  static final int ACTUAL_SHIFT = 57;
  static final long WRITABLE = INVALIDATE | 3L << REQUESTED_SHIFT | 0x3_FFFFL << 32;

  /// What IVA takes notice of.
  static final long ADDRESS_WRITABLE = ~0xF80L;

  private IotlbCommand() {}

  /// What is asked for, or null when IIRG has the reserved encoding or AM is larger than MAMV.
  static @Nullable CacheInvalidation request(long command, long invalidateAddress) {
    int domainId = (int) (command >>> 32) & 0xFFFF;
    return switch ((int) (command >>> REQUESTED_SHIFT) & 3) {
      case 1 -> new CacheInvalidation.IotlbGlobal();
      case 2 -> new CacheInvalidation.IotlbDomain(domainId);
      case 3 -> CacheInvalidation.IotlbPages.of(domainId, invalidateAddress);
      default -> null;
    };
  }
}
