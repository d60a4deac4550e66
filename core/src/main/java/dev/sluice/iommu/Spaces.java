package dev.sluice.iommu;

import dev.sluice.memory.GuestMemory;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// An immutable table of the caches of one IOMMU, hashed by tag.
///
/// A tag may stand here more than once: once for each guest memory that its devices access.
final class Spaces {
  static final Spaces NONE = new Spaces(new Iotlb[0]);

  private final Iotlb[] all;

  /// Open addressing; at most half full, so there is always an empty place.
  private final @Nullable Iotlb[] hashed;

  private Spaces(Iotlb[] all) {
    this.all = all;
    hashed = new Iotlb[Math.max(2, Integer.highestOneBit(all.length) * 4)];
    for (Iotlb space : all) {
      int place = place(space.tag());
      while (hashed[place] != null) {
        place = next(place);
      }
      hashed[place] = space;
    }
  }

  int size() {
    return all.length;
  }

  Iotlb[] all() {
    return all;
  }

  /// Where those with a tag begin; they end at the next empty place.
  int place(long tag) {
    return (int) ((tag * 0x9E37_79B9_7F4A_7C15L) >>> 32) & (hashed.length - 1);
  }

  int next(int place) {
    return (place + 1) & (hashed.length - 1);
  }

  /// Some cache, perhaps of another tag, or null.
  @Nullable Iotlb at(int place) {
    return hashed[place];
  }

  @Nullable Iotlb find(long tag, GuestMemory memory) {
    for (int place = place(tag); ; place = next(place)) {
      Iotlb space = hashed[place];
      if (space == null || (space.tag() == tag && space.memory() == memory)) {
        return space;
      }
    }
  }

  Spaces with(Iotlb added) {
    Iotlb[] more = Arrays.copyOf(all, all.length + 1);
    more[all.length] = added;
    return new Spaces(more);
  }

  Spaces without(Iotlb removed) {
    return new Spaces(Arrays.stream(all).filter(space -> space != removed).toArray(Iotlb[]::new));
  }
}
