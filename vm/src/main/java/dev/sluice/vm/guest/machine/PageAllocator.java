package dev.sluice.vm.guest.machine;

import java.util.ArrayDeque;
import java.util.Queue;

/// Hands out the 4 KiB pages of a range of RAM.
///
/// A page that was given back is reused as late as possible, after every other page. So a device
/// that still writes through a translation of yesterday does not happen to hit the right page: what
/// it destroys or misses shows.
public final class PageAllocator {
  private final Ram ram;
  private final Queue<Long> free = new ArrayDeque<>();

  /// All pages of `[first, end)`, except one.
  ///
  /// @param first physical address, a multiple of 4096
  /// @param end physical address, a multiple of 4096
  /// @param reserved physical address of a page that is not handed out, or one outside the range
  public PageAllocator(Ram ram, long first, long end, long reserved) {
    this.ram = ram;
    for (long page = first; page < end; page += Ram.PAGE) {
      if (page != reserved) {
        free.add(page);
      }
    }
  }

  /// A page with whatever its last user left in it.
  ///
  /// @throws HardwareException when RAM is used up
  public long allocate() throws HardwareException {
    Long page = free.poll();
    if (page == null) {
      throw new HardwareException("the guest has no free page of RAM left");
    }
    return page;
  }

  /// A page of zeroes.
  ///
  /// @throws HardwareException when RAM is used up
  public long allocateZeroed() throws HardwareException {
    long page = allocate();
    ram.clear(page, Ram.PAGE);
    return page;
  }

  /// `count` pages that need not be neighbours.
  ///
  /// @throws HardwareException when RAM is used up
  public long[] allocate(int count) throws HardwareException {
    long[] pages = new long[count];
    for (int i = 0; i < count; i++) {
      pages[i] = allocate();
    }
    return pages;
  }

  /// Takes a page back.
  public void free(long page) {
    free.add(page);
  }

  /// Takes pages back.
  public void free(long[] pages) {
    for (long page : pages) {
      free.add(page);
    }
  }

  /// Pages that are not in use.
  public int available() {
    return free.size();
  }
}
