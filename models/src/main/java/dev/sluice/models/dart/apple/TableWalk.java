package dev.sluice.models.dart.apple;

import dev.sluice.memory.Word;
import dev.sluice.models.walk.TableMemory;

/// Where the walk of a stream's tables ends: two levels, or three, below a top table's register.
sealed interface TableWalk {
  /// At a valid entry of the last level.
  record Leaf(long entry) implements TableWalk {}

  /// Before that.
  record Stop(ErrorCode code) implements TableWalk {}

  /// Walks.
  ///
  /// @param top guest-physical address of the first table
  /// @param levels of tables, 2 or 3
  /// @param iova bits above those that the levels decode are ignored: the caller has checked them
  static TableWalk from(
      long top,
      int levels,
      long iova,
      AppleDartConfig config,
      DartEntry format,
      TableMemory tables) {
    Word word = new Word();
    long table = top;
    for (int level = levels; ; level--) {
      int shift = config.pageShift() + config.indexBits() * (level - 1);
      long index = iova >>> shift & ((1L << config.indexBits()) - 1);
      if (!tables.load(table + index * DartEntry.BYTES, word)) {
        return new Stop(ErrorCode.TABLE_UNREADABLE);
      }
      long entry = word.asLong();
      if (!format.isValid(entry)) {
        return new Stop(
            switch (level) {
              case 1 -> ErrorCode.NO_PTE;
              case 2 -> ErrorCode.NO_PMD;
              default -> ErrorCode.NO_PGD;
            });
      }
      if (level == 1) {
        return new Leaf(entry);
      }
      table = format.address(entry);
    }
  }
}
