package dev.sluice.models.dart.u3;

/// The control, base and size registers of a U4 (`DART_CNTL`, `DART_BASE_U4`, `DART_SIZE_U4`).
///
/// ```
///  31   30    29    28    27  26                                            0
/// +---+-----+-----+-----+----+-----------------------------------------------+
/// |EN |IONE |FLUSH|IDLE |PAR |                     LPN                       | CNTL
/// +---+-----+-----+-----+----+-----------------------------------------------+
///  31             24 23                                                     0
/// +-----------------+--------------------------------------------------------+
/// |        0        |                      BASE >> 12                        | BASE
/// +-----------------+--------------------------------------------------------+
///  31                      17 16                                            0
/// +--------------------------+-----------------------------------------------+
/// |            0             |                     SIZE                      | SIZE
/// +--------------------------+-----------------------------------------------+
/// ```
///
/// EN (`ENABLE`): addresses go through the table. IONE: set to invalidate the page LPN (its logical
/// page number, `IONE_MASK`), FLUSH (`FLUSHTLB`): set to invalidate every page; each is cleared by
/// the DART when that is done. IDLE: nothing of the kind is under way. PAR (`PAR_EN`): parity,
/// which never fails here. BASE: page number of the table. SIZE: pages of the table, each with
/// entries for 4 MiB. Linux uses 13 bits of it, the register has 17 (Xen, Darwin), which is just
/// what 27 bits of LPN need.
final class U4Control {
  static final long ENABLE = 0x8000_0000L;
  static final long INVALIDATE_ONE = 0x4000_0000L;
  static final long FLUSH = 0x2000_0000L;
  static final long IDLE = 0x1000_0000L;
  static final long LOGICAL_PAGE = 0x07FF_FFFFL;

  /// What of CNTL takes the written value.
  static final long WRITABLE = ~IDLE & 0xFFFF_FFFFL;

  /// What of BASE does.
  static final long BASE_WRITABLE = 0x00FF_FFFFL;

  /// What of SIZE does.
  static final long SIZE_WRITABLE = 0x0001_FFFFL;

  private U4Control() {}

  /// What the registers say about the table.
  static DmaTranslation.Root root(long control, long base, long size) {
    return new DmaTranslation.Root(
        (control & ENABLE) != 0, base << DartEntry.PAGE_SHIFT, size * DartEntry.PER_PAGE);
  }
}
