package dev.sluice.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.memory.GuestMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class SpacesTest {
  private final GuestMemory memory = new GuestMemory();
  private final InvalidationCount count = new InvalidationCount();

  private Iotlb space(long tag, GuestMemory of) {
    return new Iotlb(tag, of, count, 1);
  }

  @Test
  void anEmptyTableFindsNothing() {
    assertThat(Spaces.NONE.size()).isZero();
    assertThat(Spaces.NONE.find(0, memory)).isNull();
    assertThat(Spaces.NONE.at(Spaces.NONE.place(0))).isNull();
  }

  @Test
  void aTableDoesNotChange() {
    Iotlb one = space(1, memory);
    Spaces first = Spaces.NONE.with(one);
    Spaces second = first.with(space(2, memory)).without(one);
    assertThat(Spaces.NONE.find(1, memory)).isNull();
    assertThat(first.find(1, memory)).isSameAs(one);
    assertThat(first.find(2, memory)).isNull();
    assertThat(second.find(1, memory)).isNull();
    assertThat(second.find(2, memory)).isNotNull();
    assertThat(second.size()).isEqualTo(1);
  }

  @Test
  void aTagIsFoundWithItsMemory() {
    GuestMemory another = new GuestMemory();
    Iotlb here = space(1, memory);
    Iotlb there = space(1, another);
    Spaces both = Spaces.NONE.with(here).with(there);
    assertThat(both.find(1, memory)).isSameAs(here);
    assertThat(both.find(1, another)).isSameAs(there);
    assertThat(both.find(1, new GuestMemory())).isNull();
    assertThat(withTag(both, 1)).containsExactlyInAnyOrder(here, there);
  }

  private static List<Iotlb> withTag(Spaces spaces, long tag) {
    List<Iotlb> found = new ArrayList<>();
    for (int place = spaces.place(tag); ; place = spaces.next(place)) {
      Iotlb space = spaces.at(place);
      if (space == null) {
        return found;
      }
      if (space.tag() == tag) {
        found.add(space);
      }
    }
  }

  @Test
  void whateverTagsAGuestPicksEachIsFoundAndNoOther() {
    SplittableRandom random = new SplittableRandom(1);
    Spaces spaces = Spaces.NONE;
    List<Iotlb> all = new ArrayList<>();
    for (int i = 0; i < Invalidator.MAX_SPACES; i++) {
      long tag = i % 2 == 0 ? i : random.nextLong();
      Iotlb space = space(tag, memory);
      all.add(space);
      spaces = spaces.with(space);
    }
    for (int i = 0; i < Invalidator.MAX_SPACES; i += 3) {
      spaces = spaces.without(all.get(i));
    }
    for (int i = 0; i < all.size(); i++) {
      Iotlb space = all.get(i);
      boolean there = i % 3 != 0;
      assertThat(spaces.find(space.tag(), memory)).isSameAs(there ? space : null);
      assertThat(withTag(spaces, space.tag())).hasSize(there ? 1 : 0);
    }
    assertThat(spaces.all()).hasSize(spaces.size());
    assertThat(spaces.find(-7, memory)).isNull();
  }
}
