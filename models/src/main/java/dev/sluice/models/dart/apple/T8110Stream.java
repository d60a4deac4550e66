package dev.sluice.models.dart.apple;

import dev.sluice.models.dart.apple.Streams.Control;
import dev.sluice.models.dart.apple.Streams.Mode;

/// The registers that a t8110 has for each stream: control (`DART_T8110_TCR`) and one table base
/// (`DART_T8110_TTBR`).
///
/// ```
///  31                  12 11    8   7    6    4    3      2      1      0
/// +----------------------+-------+------+------+------+------+-------+-------+
/// |          0           | REMAP |RMP_EN|  0   | FOUR | DAPF |BYPASS | TRANS | TCR
/// +----------------------+-------+------+------+------+------+-------+-------+
///  31 30 29                                                    2    1     0
/// +-----+--------------------------------------------------------+-----+-----+
/// |  0  |                       ADDR >> 14                       |  0  |  V  | TTBR
/// +-----+--------------------------------------------------------+-----+-----+
/// ```
///
/// TRANS, BYPASS and DAPF as on a t8020. FOUR (`FOUR_LEVEL`): the top table is that of address bits
/// 46:36, and not of 35:25. RMP_EN (`REMAP_EN`): the TCR and TTBR of the stream REMAP count
/// instead.
final class T8110Stream {
  static final long BYPASS_DART = 1L << 1;

  private static final long TRANSLATE_ENABLE = 1;
  private static final long FOUR_LEVELS = 1L << 3;
  private static final long REMAP_ENABLE = 1L << 7;
  private static final int REMAP_SHIFT = 8;
  private static final int REMAP = 0xF;
  private static final long VALID = 1;
  private static final long ADDRESS = 0x3FFF_FFFCL;
  private static final int ADDRESS_SHIFT = 14 - 2;

  private T8110Stream() {}

  static Control control(int stream, long tcr) {
    boolean translated = (tcr & TRANSLATE_ENABLE) != 0;
    boolean bypassed = (tcr & BYPASS_DART) != 0;
    Mode mode = Mode.BLOCKED;
    if (translated != bypassed) {
      mode = translated ? Mode.TRANSLATED : Mode.BYPASSED;
    }
    int instead = (tcr & REMAP_ENABLE) == 0 ? Control.NONE : (int) (tcr >>> REMAP_SHIFT) & REMAP;
    return new Control(stream, mode, (tcr & FOUR_LEVELS) != 0, instead);
  }

  static long table(long ttbr) {
    return (ttbr & VALID) == 0 ? Streams.NO_TABLE : (ttbr & ADDRESS) << ADDRESS_SHIFT;
  }
}
