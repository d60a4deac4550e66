package dev.sluice.models.vtd;

import dev.sluice.models.vtd.CacheInvalidation.IotlbPages;

/// A 128-bit descriptor of the invalidation queue, VT-d specification 6.5.2. Its type has 7 bits:
/// TH, its bits 6:4, stand in bits 11:9, and the others in bits 3:0. No type has TH set yet.
///
/// ```
///  type 1, context-cache (cc_inv_dsc, 6.5.2.1)
///  127                                                            64
/// +-----------------------------------------------------------------+
/// |                               0                                 |
/// +-----------------------------------------------------------------+
///  63         50 49 48 47      32 31      16 15 12 11 9 8  6 5  4 3  0
/// +-------------+-----+----------+----------+-----+----+----+----+----+
/// |      0      | FM  |   SID    |   DID    |  0  | TH | 0  | G  | 1  |
/// +-------------+-----+----------+----------+-----+----+----+----+----+
///
///  type 2, IOTLB (iotlb_inv_dsc, 6.5.2.3)
///  127                              76 75     71 70 69              64
/// +-----------------------------------+---------+--+------------------+
/// |             ADDR >> 12            |    0    |IH|        AM        |
/// +-----------------------------------+---------+--+------------------+
///  63                32 31      16 15 12 11 9 8  7  6  5  4 3       0
/// +--------------------+----------+-----+----+--+--+--+----+---------+
/// |         0          |   DID    |  0  | TH | 0|DR|DW| G  |    2    |
/// +--------------------+----------+-----+----+--+--+--+----+---------+
///
///  type 5, invalidation wait (inv_wait_dsc, 6.5.2.8)
///  127                                                      66 65 64
/// +-----------------------------------------------------------+-----+
/// |                    status address >> 2                    |  0  |
/// +-----------------------------------------------------------+-----+
///  63                  32 31          12 11 9 8  7  6  5  4  3      0
/// +----------------------+--------------+----+----+--+--+--+---------+
/// |     status data      |      0       | TH | 0  |FN|SW|IF|    5    |
/// +----------------------+--------------+----+----+--+--+--+---------+
/// ```
///
/// G: 1 global, 2 domain, 3 device or pages; 0 is reserved. FM, AM, IH, DR, DW as in
/// [ContextCommand] and [IotlbCommand]. SW: write the status data to the status address. IF: raise
/// the completion event. FN: descriptors after the wait begin only after it, as they always do
/// here.
///
/// Types 3 (device TLB), 4 (interrupt entry cache) and 6 and above (scalable mode) need
/// capabilities that the unit has not.
sealed interface Descriptor {
  /// Bytes of a descriptor.
  int BYTES = 16;

  /// An invalidation.
  record Invalidate(CacheInvalidation what) implements Descriptor {}

  /// A wait for every invalidation before it.
  ///
  /// @param writesStatus SW
  /// @param raisesEvent IF
  record Wait(boolean writesStatus, long statusAddress, int statusData, boolean raisesEvent)
      implements Descriptor {}

  /// None that the unit executes.
  record Invalid(QueueError error) implements Descriptor {}

  /// What 128 bits of the queue mean.
  static Descriptor decode(long low, long high) {
    int type = (int) (((low >>> 5) & 0x70) | (low & 0xF));
    return switch (type) {
      case 1 -> contextCache(low, high);
      case 2 -> iotlb(low, high);
      case 5 -> invalidationWait(low, high);
      default -> new Invalid(QueueError.TYPE);
    };
  }

  private static Descriptor contextCache(long low, long high) {
    if ((low & 0xFFFC_0000_0000_FFC0L) != 0 || high != 0) {
      return new Invalid(QueueError.RESERVED_FIELD);
    }
    int domainId = (int) (low >>> 16) & 0xFFFF;
    int sourceId = (int) (low >>> 32) & 0xFFFF;
    int functionMask = (int) (low >>> 48) & 3;
    return switch ((int) (low >>> 4) & 3) {
      case 1 -> new Invalidate(new CacheInvalidation.ContextGlobal());
      case 2 -> new Invalidate(new CacheInvalidation.ContextDomain(domainId));
      case 3 ->
          new Invalidate(CacheInvalidation.ContextDevice.of(sourceId, functionMask, domainId));
      default -> new Invalid(QueueError.RESERVED_FIELD);
    };
  }

  private static Descriptor iotlb(long low, long high) {
    if ((low & 0xFFFF_FFFF_0000_FF00L) != 0 || (high & 0xF80L) != 0) {
      return new Invalid(QueueError.RESERVED_FIELD);
    }
    int domainId = (int) (low >>> 16) & 0xFFFF;
    return switch ((int) (low >>> 4) & 3) {
      case 1 -> new Invalidate(new CacheInvalidation.IotlbGlobal());
      case 2 -> new Invalidate(new CacheInvalidation.IotlbDomain(domainId));
      case 3 -> {
        IotlbPages pages = IotlbPages.of(domainId, high);
        yield pages == null ? new Invalid(QueueError.RESERVED_FIELD) : new Invalidate(pages);
      }
      default -> new Invalid(QueueError.RESERVED_FIELD);
    };
  }

  private static Descriptor invalidationWait(long low, long high) {
    if ((low & 0xFFFF_FF80L) != 0 || (high & 3) != 0) {
      return new Invalid(QueueError.RESERVED_FIELD);
    }
    return new Wait((low & 0x20) != 0, high, (int) (low >>> 32), (low & 0x10) != 0);
  }
}
