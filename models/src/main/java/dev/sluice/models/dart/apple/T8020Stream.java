package dev.sluice.models.dart.apple;

import dev.sluice.models.dart.apple.Streams.Control;
import dev.sluice.models.dart.apple.Streams.Mode;

/// The registers that a t8020 or t6000 has for each stream: control (`DART_T8020_TCR`), four table
/// bases (`DART_T8020_TTBR`), and a byte of the remap registers.
///
/// ```
///  31                          13   12   11    9    8       7    6          0
/// +------------------------------+------+-------+-------+-------+------------+
/// |              0               | DAPF |   0   |BYPASS | TRANS |     0      | TCR
/// +------------------------------+------+-------+-------+-------+------------+
///  31   30                                                                  0
/// +---+----------------------------------------------------------------------+
/// | V |                             ADDR >> 12                               | TTBR
/// +---+----------------------------------------------------------------------+
///  31         24 23         16 15          8 7           0
/// +-------------+-------------+-------------+-------------+
/// |    MAP3     |    MAP2     |    MAP1     |    MAP0     | REMAP
/// +-------------+-------------+-------------+-------------+
/// ```
///
/// TRANS (`TRANSLATE_ENABLE`): addresses go through the tables. BYPASS (`BYPASS_DART`): they do
/// not; with both set the stream is blocked, as with none (m1n1 calls that invalid). DAPF
/// (`BYPASS_DAPF`): the address filter is passed by; there is none here. The zeros keep what is
/// written: some are said to switch single errors off. REMAP: four streams a register; each says
/// which stream's TCR and TTBRs count for it.
final class T8020Stream {
  static final long BYPASS_DART = 1L << 8;

  /// The bits of a REMAP register that take the written value: there are 16 streams.
  static final long REMAP_WRITABLE = 0x0F0F_0F0FL;

  private static final long TRANSLATE_ENABLE = 1L << 7;
  private static final long VALID = 1L << 31;
  private static final int ADDRESS_SHIFT = 12;

  private T8020Stream() {}

  static Control control(int stream, long tcr) {
    boolean translated = (tcr & TRANSLATE_ENABLE) != 0;
    boolean bypassed = (tcr & BYPASS_DART) != 0;
    if (translated == bypassed) {
      return Control.blocked(stream);
    }
    return new Control(stream, translated ? Mode.TRANSLATED : Mode.BYPASSED, false, Control.NONE);
  }

  static long table(long ttbr) {
    return (ttbr & VALID) == 0 ? Streams.NO_TABLE : (ttbr & ~VALID) << ADDRESS_SHIFT;
  }

  /// One of the four streams of a REMAP register.
  static int remap(long register, int index) {
    return (int) (register >>> (8 * index)) & 0xF;
  }

  /// The reset value of a REMAP register: every stream is itself.
  static long identity(int register) {
    long first = 4L * register;
    return first | (first + 1) << 8 | (first + 2) << 16 | (first + 3) << 24;
  }
}
