package dev.sluice.models.walk;

/// The shape of a radix page table in one architecture, and what its 8-byte entries mean.
///
/// Levels are counted from the leaves: a level-1 entry maps a page of 2^[#pageShift] bytes, and
/// each level above multiplies that by 2^[#indexBits]. How many levels a table has may differ from
/// table to table, so the walker is told.
///
/// An implementation is a final class whose methods return constants or look at bits: a walk calls
/// them for each entry.
public interface RadixFormat {

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

  /// log2 of the smallest page's bytes, 12 or more.
  int pageShift();

  /// log2 of the entries of one table.
  int indexBits();

  /// Whether an entry is a [Kind#TABLE], as most entries on the way are: to be decided by few
  /// instructions. All ones is none: so does an entry read that cannot be loaded.
  ///
  /// @param level 2 or more
  boolean leadsOn(long entry, int level);

  /// What an entry is, at a level.
  ///
  /// @param level 1 or more; at level 1 never [Kind#TABLE]
  Kind kind(long entry, int level);

  /// The guest-physical address of the table or page that an entry leads to.
  ///
  /// @return a multiple of the table's or page's size, below 2^63
  long address(long entry);

  /// What an entry, alone, lets through, as [dev.sluice.memory.Access#rights()].
  int rights(long entry);

  /// log2 of the bytes that an entry of a level covers.
  default int shift(int level) {
    return pageShift() + indexBits() * (level - 1);
  }
}
