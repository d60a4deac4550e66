package dev.sluice.models.walk;

/// Where a walk ended.
public sealed interface RadixWalk {

  /// At a page that grants the access.
  ///
  /// @param address the page's first guest-physical address
  /// @param shift log2 of its bytes
  /// @param readable whether every entry on the way lets reads through
  /// @param writable whether every entry on the way lets writes through
  record Page(long address, int shift, boolean readable, boolean writable) implements RadixWalk {}

  /// Before that.
  ///
  /// @param cause why
  /// @param level the level of the entry at which it ended; the table's own levels say whether that
  ///   is the top
  record Stop(Cause cause, int level) implements RadixWalk {}

  /// Why a walk ended before a page.
  enum Cause {
    /// The table that should hold the entry cannot be read.
    UNREADABLE,
    /// The entry maps nothing.
    ABSENT,
    /// The entry has a reserved bit set.
    MALFORMED,
    /// The entry does not let reads through.
    NO_READ,
    /// The entry does not let writes through.
    NO_WRITE
  }
}
