package dev.sluice.models.walk;

/// What the 8-byte entries of a radix page table mean, in one architecture.
///
/// Levels are counted from the leaves: a level-1 entry maps a page of 2^[#PAGE_SHIFT] bytes, and
/// each level above multiplies that by 2^[#INDEX_BITS].
public interface RadixFormat {
  /// log2 of the smallest page's bytes, 4 KiB.
  int PAGE_SHIFT = 12;

  /// log2 of the entries of one table.
  int INDEX_BITS = 9;

  /// What an entry is.
  enum Kind {
    /// It maps nothing. Its other bits are not looked at.
    ABSENT,
    /// A reserved bit is set.
    MALFORMED,
    /// It leads to the next table down.
    TABLE,
    /// It maps a page of its level's size.
    PAGE
  }

  /// What an entry is, at a level.
  ///
  /// @param level 1 or more; at level 1 never [Kind#TABLE]
  Kind kind(long entry, int level);

  /// The guest-physical address of the table or page that an entry leads to.
  ///
  /// @return a multiple of the table's or page's size
  long address(long entry);

  /// Whether an entry, alone, lets reads through.
  boolean readable(long entry);

  /// Whether an entry, alone, lets writes through.
  boolean writable(long entry);

  /// log2 of the bytes that an entry of a level covers.
  static int shift(int level) {
    return PAGE_SHIFT + INDEX_BITS * (level - 1);
  }
}
