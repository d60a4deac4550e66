package dev.sluice.models.vtd;

/// Bits of the global command and global status registers, VT-d specification 11.4.4 (GCMD_REG,
/// GSTS_REG): what is asked for in one stands at the same bit of the other when it is done.
///
/// ```
///  31 30   29  28   27  26  25  24    23  22              0
/// +--+----+---+----+---+---+---+-----+---+------------------+
/// |TE|SRTP| 0 |  0 |WBF|QIE| 0 |  0  | 0 |        0         |  GCMD
/// +--+----+---+----+---+---+---+-----+---+------------------+
/// |TES|RTPS|0 |  0 | 0 |QIES|0 |  0  | 0 |        0         |  GSTS
/// +--+----+---+----+---+---+---+-----+---+------------------+
/// ```
///
/// TE and QIE are levels. SRTP is one-shot: a 0 means nothing. WBF is accepted and does nothing, as
/// no write buffer needs flushing (CAP.RWBF is clear). GCMD reads as zero.
final class GlobalCommand {
  static final long TRANSLATION_ENABLE = 1L << 31;
  static final long SET_ROOT_TABLE_POINTER = 1L << 30;
  static final long WRITE_BUFFER_FLUSH = 1L << 27;
  static final long QUEUED_INVALIDATION_ENABLE = 1L << 26;

  /// What GCMD takes notice of.
  static final long SUPPORTED =
      TRANSLATION_ENABLE | SET_ROOT_TABLE_POINTER | WRITE_BUFFER_FLUSH | QUEUED_INVALIDATION_ENABLE;

  private GlobalCommand() {}
}
