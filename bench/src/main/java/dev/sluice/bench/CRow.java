package dev.sluice.bench;

/// A row of `comparators.c`.
///
/// @param name of it there
/// @param pages that it goes round
/// @param bytes that an operation moves
/// @param title for people
record CRow(String name, int pages, int bytes, String title) {

  private static final int LINE = 64;

  /// Whose operations move nothing.
  static CRow of(String name, int pages, String title) {
    return new CRow(name, pages, LINE, title);
  }
}
