package dev.sluice.models.spapr;

/// A range of bus addresses that one TCE table translates.
///
/// @param liobn its name in hypercalls, the logical I/O bus number: 32 bits, zero-extended
/// @param base its first bus address, a multiple of its pages
/// @param pageShift log2 of the bytes of its I/O pages
/// @param isDefault whether it is the one that the device tree names (`ibm,dma-window`,
///   `ibm,my-dma-window`), not one made by `ibm,create-pe-dma-window`
/// @param table one entry for each of its pages
/// @param space where it lies
record DmaWindow(
    long liobn, long base, int pageShift, boolean isDefault, TceTable table, DmaSpace space) {

  DmaWindow {
    if ((base & ((1L << pageShift) - 1)) != 0) {
      throw new IllegalArgumentException(
          "window at 0x%x does not begin at a page of 2^%d bytes".formatted(base, pageShift));
    }
  }

  /// Whether it translates a bus address.
  boolean contains(long ioba) {
    return Long.compareUnsigned((ioba - base) >>> pageShift, table.entries()) < 0;
  }

  /// Whether it has entries for `count` pages from a bus address on. None are anywhere within it.
  boolean contains(long ioba, long count) {
    return contains(ioba)
        && Long.compareUnsigned(count, table.entries() - ((ioba - base) >>> pageShift)) <= 0;
  }

  /// The entry of a bus address within it.
  long index(long ioba) {
    return (ioba - base) >>> pageShift;
  }

  /// Whether a bus address is the first of a page.
  boolean isAligned(long ioba) {
    return (ioba & ((1L << pageShift) - 1)) == 0;
  }

  /// The last bus address of a run of pages.
  ///
  /// @param count 1 or more
  long last(long ioba, long count) {
    return ioba + (count << pageShift) - 1;
  }

  long bytes() {
    return table.entries() << pageShift;
  }
}
