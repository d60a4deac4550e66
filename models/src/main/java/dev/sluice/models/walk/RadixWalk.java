package dev.sluice.models.walk;

/// Where a walk ended, or has come, as a word, so that a walk allocates nothing.
///
/// ```text
/// 63 62                      12 11     8  7  6 5         0
/// +--+-------------------------+--------+--+--+-----------+
/// | 0|      address >> 12      |    0   |W |R |   shift   |   at a page that grants the access
/// | 0|      address >> 12      |    0   |W |R |     0     |   before a table of the last level
/// | 1|            0            | level  |  0  |   cause   |   before a page
/// +--+-------------------------+--------+-----+-----------+
/// ```
public final class RadixWalk {

  /// Why a walk ended before a page.
  public enum Cause {
    /// The table that should hold the entry cannot be read.
    UNREADABLE(0),
    /// The entry maps nothing.
    ABSENT(1),
    /// The entry has a reserved bit set.
    MALFORMED(2),
    /// The entry does not let reads through.
    NO_READ(3),
    /// The entry does not let writes through.
    NO_WRITE(4);

    private final int code;

    Cause(int code) {
      this.code = code;
    }

    private static Cause of(int code) {
      for (Cause cause : values()) {
        if (cause.code == code) {
          return cause;
        }
      }
      throw new IllegalArgumentException("no walk ends for cause " + code);
    }
  }

  private static final long ADDRESS = 0x7FFF_FFFF_FFFF_F000L;
  private static final int LEVEL_SHIFT = 8;
  private static final int RIGHTS_SHIFT = 6;
  private static final int LOW = 0x3F;

  private RadixWalk() {}

  static long page(long address, int shift, int rights) {
    return (address & ADDRESS) | (long) rights << RIGHTS_SHIFT | shift;
  }

  /// At a table of the last level, whose entry has not been read yet.
  ///
  /// @param address guest-physical, a multiple of 4 KiB
  /// @param rights of all entries on the way to it, not 0
  public static long lastTable(long address, int rights) {
    return address | (long) rights << RIGHTS_SHIFT;
  }

  static long stop(Cause cause, int level) {
    return Long.MIN_VALUE | (long) level << LEVEL_SHIFT | cause.code;
  }

  /// Whether it ended at a page. Not to be asked of one that may stand before the last table.
  public static boolean isPage(long walk) {
    return walk >= 0;
  }

  /// Whether it stands before a table of the last level.
  public static boolean isLastTable(long walk) {
    return walk >= 0 && (walk & LOW) == 0;
  }

  /// Whether it ended at a page of 2^`shift` bytes.
  public static boolean isPage(long walk, int shift) {
    return (walk & (Long.MIN_VALUE | LOW)) == shift;
  }

  // --- of a page or table

  /// The page's or table's first guest-physical address.
  public static long address(long walk) {
    return walk & ADDRESS;
  }

  /// log2 of the page's bytes.
  public static int shift(long walk) {
    return (int) walk & LOW;
  }

  /// What every entry so far lets through, as [dev.sluice.memory.Access#rights()].
  public static int rights(long walk) {
    return (int) walk >>> RIGHTS_SHIFT & 3;
  }

  // --- of an end before a page

  /// Why it ended.
  public static Cause cause(long walk) {
    return Cause.of((int) walk & LOW);
  }

  /// The level of the entry at which it ended; the table's own levels say whether that is the top.
  public static int level(long walk) {
    return (int) walk >>> LEVEL_SHIFT & 0xF;
  }
}
