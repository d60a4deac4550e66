package dev.sluice.testkit.soak;

import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// Where devices' threads leave mappings for one another.
final class MappingExchange {
  private static final int PLACES = 4;

  private final AtomicReferenceArray<@Nullable HeldMapping> places =
      new AtomicReferenceArray<>(PLACES);

  /// Puts a mapping, or nothing, into a place.
  ///
  /// @return what was there, which is the caller's now
  @Nullable HeldMapping swap(int place, @Nullable HeldMapping mapping) {
    return places.getAndSet(place % PLACES, mapping);
  }

  /// Closes what nobody has taken.
  void close() {
    for (int i = 0; i < PLACES; i++) {
      HeldMapping left = swap(i, null);
      if (left != null) {
        left.mapping().close();
      }
    }
  }
}
