package dev.sluice.vm.guest.dma;

/// Pages of RAM, and the addresses by which a device reaches them.
public final class DmaBuffer {
  private final long[] pages;
  private final long[] busAddresses;

  /// @param pages physical addresses of the pages, which need not be neighbours; one or more
  /// @param busAddresses the address of each page for the device
  public DmaBuffer(long[] pages, long[] busAddresses) {
    if (pages.length == 0 || pages.length != busAddresses.length) {
      throw new IllegalArgumentException(
          pages.length + " pages with " + busAddresses.length + " addresses");
    }
    this.pages = pages.clone();
    this.busAddresses = busAddresses.clone();
  }

  /// How many pages there are.
  public int pageCount() {
    return pages.length;
  }

  /// The physical address of a page.
  public long page(int index) {
    return pages[index];
  }

  /// The device's address of a page.
  public long busAddress(int index) {
    return busAddresses[index];
  }

  /// The physical addresses of all pages.
  public long[] pages() {
    return pages.clone();
  }
}
