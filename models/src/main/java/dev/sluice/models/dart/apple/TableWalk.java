package dev.sluice.models.dart.apple;

import dev.sluice.memory.RamWindow;
import dev.sluice.models.walk.TableMemory;
import java.util.List;

/// A walk of a stream's tables, two levels or three, below a top table's register. It ends in a
/// word, so that it allocates nothing:
///
/// ```
///  63                                                                 1   0
/// +---------------------------------------------------------------------+---+
/// |              the rest of a valid entry of the last level            | 1 |
/// |              number of the ErrorCode that ends it before            | 0 |
/// +---------------------------------------------------------------------+---+
/// ```
final class TableWalk {
  private static final List<ErrorCode> CODES = List.of(ErrorCode.values());

  private TableWalk() {}

  /// Walks.
  ///
  /// @param top guest-physical address of the first table
  /// @param levels of tables, 2 or 3
  /// @param iova bits above those that the levels decode are ignored: the caller has checked them
  static long from(
      long top,
      int levels,
      long iova,
      AppleDartConfig config,
      DartEntry format,
      TableMemory tables) {
    long table = top;
    for (int level = levels; ; level--) {
      int shift = config.pageShift() + config.indexBits() * (level - 1);
      long index = iova >>> shift & ((1L << config.indexBits()) - 1);
      long at = table + index * DartEntry.BYTES;
      long entry = tables.entry(at);
      if (entry == RamWindow.ALL_ONES && !tables.isReadable(at)) {
        return stop(ErrorCode.TABLE_UNREADABLE);
      }
      if (!format.isValid(entry)) {
        return stop(
            switch (level) {
              case 1 -> ErrorCode.NO_PTE;
              case 2 -> ErrorCode.NO_PMD;
              default -> ErrorCode.NO_PGD;
            });
      }
      if (level == 1) {
        return entry;
      }
      table = format.address(entry);
    }
  }

  /// An end before any table.
  static long stop(ErrorCode code) {
    return (long) CODES.indexOf(code) << 1;
  }

  /// Whether a walk ended at a valid entry of the last level, which it is then.
  static boolean isLeaf(long walk) {
    return (walk & 1) != 0;
  }

  /// Why it ended before that.
  static ErrorCode code(long walk) {
    return CODES.get((int) (walk >>> 1));
  }
}
