package dev.sluice.models.spapr;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Which window a LIOBN names. Immutable, so that hypercalls look it up without a lock.
final class Liobns {
  static final Liobns NONE = new Liobns(new DmaWindow[0]);

  /// In the order of their LIOBNs.
  private final DmaWindow[] windows;

  private final long[] numbers;

  private Liobns(DmaWindow[] windows) {
    this.windows = windows;
    numbers = Arrays.stream(windows).mapToLong(DmaWindow::liobn).toArray();
  }

  /// The window of a LIOBN, or null.
  ///
  /// @param liobn any 64 bits
  @Nullable DmaWindow find(long liobn) {
    int at = Arrays.binarySearch(numbers, liobn);
    return at < 0 ? null : windows[at];
  }

  /// The same with one window more.
  ///
  /// @throws IllegalArgumentException when its LIOBN is taken
  Liobns with(DmaWindow window) {
    int at = Arrays.binarySearch(numbers, window.liobn());
    if (at >= 0) {
      throw new IllegalArgumentException("LIOBN 0x%x is taken".formatted(window.liobn()));
    }
    int place = -at - 1;
    DmaWindow[] next = Arrays.copyOf(windows, windows.length + 1);
    System.arraycopy(windows, place, next, place + 1, windows.length - place);
    next[place] = window;
    return new Liobns(next);
  }

  /// The same without one of them.
  Liobns without(DmaWindow gone) {
    return new Liobns(
        Arrays.stream(windows)
            .filter(window -> window.liobn() != gone.liobn())
            .toArray(DmaWindow[]::new));
  }
}
