package dev.sluice.models.spapr;

import java.util.Set;

/// The knobs of the model.
///
/// @param defaultWindowBytes size of the default window of a partitionable endpoint, which has 4
///   KiB pages and lies at bus address 0: a multiple of 4 KiB, up to 4 GiB, for it has to be below.
///   Default 1 GiB
/// @param ioPageShifts log2 of the I/O page sizes that a dynamic window may have, each one of 12,
///   16, 21, 24, 25, 26, 27, 28 and 34. Empty: there are no dynamic windows, and their calls return
///   a parameter error. Default 12, 16, 21 and 24
/// @param largestWindow entries that a dynamic window may have, 1 to 2^40; what
///   `ibm,query-pe-dma-window` reports. Default 2^31
/// @param tablePages pages of 4 KiB, each of 512 entries, that all tables together may take: the
///   guest chooses how many entries it sets, and H_NOT_ENOUGH_RESOURCES is what it gets beyond.
///   Pages without an entry are given back when others are needed. Default 65,536, that is 256 MiB,
///   enough for 128 GiB in pages of 4 KiB
/// @param stuffLimit whether H_STUFF_TCE refuses a count above 512 with H_P4, as LoPAR wants it "to
///   aid in client code debug". Otherwise the count may be up to the table's size, as hypervisors
///   allow it. Default false
public record SpaprConfig(
    long defaultWindowBytes,
    Set<Integer> ioPageShifts,
    long largestWindow,
    int tablePages,
    boolean stuffLimit) {

  /// Every knob at its default.
  public static final SpaprConfig DEFAULT =
      new SpaprConfig(1L << 30, Set.of(12, 16, 21, 24), 1L << 31, 1 << 16, false);

  /// Checks the ranges.
  public SpaprConfig {
    ioPageShifts = Set.copyOf(ioPageShifts);
    if (defaultWindowBytes <= 0
        || defaultWindowBytes > 1L << 32
        || (defaultWindowBytes & 0xFFF) != 0) {
      throw new IllegalArgumentException(
          "the default window has 4 KiB to 4 GiB, in pages of 4 KiB: " + defaultWindowBytes);
    }
    ioPageShifts.forEach(IoPageSizes::checked);
    if (largestWindow < 1 || largestWindow > 1L << 40) {
      throw new IllegalArgumentException("a window has 1 to 2^40 entries: " + largestWindow);
    }
    if (tablePages < 1) {
      throw new IllegalArgumentException("tables need a page at least: " + tablePages);
    }
  }

  /// The same with another size of the default window.
  public SpaprConfig withDefaultWindowBytes(long bytes) {
    return new SpaprConfig(bytes, ioPageShifts, largestWindow, tablePages, stuffLimit);
  }

  /// The same with other page sizes for dynamic windows.
  public SpaprConfig withIoPageShifts(Set<Integer> shifts) {
    return new SpaprConfig(defaultWindowBytes, shifts, largestWindow, tablePages, stuffLimit);
  }

  /// The same with the page sizes for dynamic windows that an answer of `ibm,query-pe-dma-window`
  /// names.
  ///
  /// @param mask the answer's "IO Page Sizes"; reserved bits name none
  public SpaprConfig withIoPageSizes(int mask) {
    return withIoPageShifts(IoPageSizes.shifts(mask));
  }

  /// The same with another limit for dynamic windows.
  public SpaprConfig withLargestWindow(long entries) {
    return new SpaprConfig(defaultWindowBytes, ioPageShifts, entries, tablePages, stuffLimit);
  }

  /// The same with another limit for all tables together.
  public SpaprConfig withTablePages(int pages) {
    return new SpaprConfig(defaultWindowBytes, ioPageShifts, largestWindow, pages, stuffLimit);
  }

  /// The same with H_STUFF_TCE's limit of 512 enforced or not.
  public SpaprConfig withStuffLimit(boolean on) {
    return new SpaprConfig(defaultWindowBytes, ioPageShifts, largestWindow, tablePages, on);
  }
}
