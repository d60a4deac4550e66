package dev.sluice.models.vtd;

import org.jspecify.annotations.Nullable;

/// The context command register, VT-d specification 11.4.6.1 (CCMD_REG).
///
/// ```
///  63  62 61 60 59 58      34 33 32 31      16 15       0
/// +---+-----+-----+----------+-----+----------+----------+
/// |ICC|CIRG |CAIG |    0     | FM  |   SID    |   DID    |
/// +---+-----+-----+----------+-----+----------+----------+
/// ```
///
/// ICC: set by the guest to start, cleared by the unit when the invalidation is complete. CIRG: 1
/// global, 2 domain, 3 device. CAIG: what was done, in the same numbers; 0 when the request was
/// ignored.
final class ContextCommand {
  static final long INVALIDATE = 1L << 63;
  static final int REQUESTED_SHIFT = 61;
  static final int ACTUAL_SHIFT = 59;
  static final long WRITABLE = INVALIDATE | 3L << REQUESTED_SHIFT | 0x3_FFFF_FFFFL;

  private ContextCommand() {}

  /// What is asked for, or null when CIRG has the reserved encoding.
  static @Nullable CacheInvalidation request(long command) {
    int domainId = (int) command & 0xFFFF;
    return switch ((int) (command >>> REQUESTED_SHIFT) & 3) {
      case 1 -> new CacheInvalidation.ContextGlobal();
      case 2 -> new CacheInvalidation.ContextDomain(domainId);
      case 3 ->
          CacheInvalidation.ContextDevice.of(
              (int) (command >>> 16) & 0xFFFF, (int) (command >>> 32) & 3, domainId);
      default -> null;
    };
  }
}
