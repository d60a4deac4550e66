package dev.sluice.models.dart.u3;

/// The control register of a U3, the only one it has besides the exception register (`DART_CNTL`,
/// `DART_CNTL_U3_*`).
///
/// ```
///  31                                    12  11    10     9   8             0
/// +----------------------------------------+----+-------+----+---------------+
/// |               BASE >> 12               |STOP|FLUSH  | EN |     SIZE      |
/// +----------------------------------------+----+-------+----+---------------+
/// ```
///
/// BASE: page number of the table, below 4 GiB. FLUSH (`FLUSHTLB`): set to flush the TLB, cleared
/// by the DART when it has. EN (`ENABLE`): addresses go through the table. SIZE: pages of the
/// table, each with entries for 4 MiB; 0 is 512, as Linux and Darwin write it for the 2 MiB table
/// that they always have. STOP (Xen's `dc_stop_access`) keeps what is written; what it does is not
/// known.
final class U3Control {
  static final long FLUSH = 0x400;
  static final long ENABLE = 0x200;

  /// What takes the written value.
  static final long WRITABLE = 0xFFFF_FFFFL;

  private static final int BASE_SHIFT = 12;
  private static final long SIZE = 0x1FF;
  private static final long LARGEST_TABLE = 512;

  private U3Control() {}

  /// What the register says about the table.
  static DmaTranslation.Root root(long control) {
    long size = control & SIZE;
    return new DmaTranslation.Root(
        (control & ENABLE) != 0,
        control >>> BASE_SHIFT << BASE_SHIFT,
        (size == 0 ? LARGEST_TABLE : size) * DartEntry.PER_PAGE);
  }
}
