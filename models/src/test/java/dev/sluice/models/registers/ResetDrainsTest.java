package dev.sluice.models.registers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Hold;
import dev.sluice.iommu.Invalidator;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ResetDrainsTest {
  private final GuestMemory memory = new GuestMemory();
  private final RamRegion ram = RamRegion.allocate(4096);
  private final Invalidator invalidator = new Invalidator();
  private final ResetDrains resets = new ResetDrains(invalidator);
  private final Endpoint endpoint = invalidator.attach(RequesterId.of(0, 1, 0), memory);
  private final List<String> told = new ArrayList<>();

  @BeforeEach
  void plug() {
    memory.addRam(0, ram);
    endpoint.revocation(Revocation.never());
  }

  @AfterEach
  void unplug() {
    memory.remove(0, -1, () -> {});
  }

  private Hold hold() {
    return endpoint.hold(1, 0, 4095, endpoint.count(), ram, () -> {});
  }

  private void reset(String name) {
    resets.begin(() -> told.add(name));
  }

  @Test
  void withNothingInFlightItIsOverAtOnce() {
    reset("a");
    assertThat(told).containsExactly("a");
  }

  @Test
  void eachWaitsForWhatBeganBeforeItAndForNothingElse() {
    Hold first = hold();
    reset("a");
    Hold second = hold();
    reset("b");
    Hold third = hold();
    assertThat(told).isEmpty();
    first.close();
    assertThat(told).containsExactly("a");
    second.close();
    assertThat(told).containsExactly("a", "b");
    third.close();
    assertThat(told).containsExactly("a", "b");
  }

  @Test
  void anyNumberBehindOneHoldIsAFewDrainsAndEachIsToldOnce() {
    List<String> names = new ArrayList<>();
    Hold hold = hold();
    for (int i = 0; i < 1000; i++) {
      names.add("reset " + i);
      reset(names.getLast());
    }
    assertThat(told).isEmpty();
    hold.close();
    assertThat(told).containsExactlyInAnyOrderElementsOf(names);
    assertThat(invalidator.statistics().delayed()).isEqualTo(ResetDrains.MAX_UNDER_WAY);
    reset("later");
    assertThat(told).contains("later");
  }

  @Test
  void thoseThatWaitForRoomHaveTheirCachesEmptiedAtOnce() {
    Hold hold = hold();
    for (int i = 0; i < ResetDrains.MAX_UNDER_WAY; i++) {
      reset("full");
    }
    assertThat(endpoint.bind(invalidator.space(1, endpoint), endpoint.bindTicket())).isTrue();
    reset("one more");
    assertThat(endpoint.space()).isNull();
    hold.close();
  }

  @Test
  void oneThatFailsKeepsNoOtherFromBeingTold() {
    Hold hold = hold();
    for (int i = 0; i < ResetDrains.MAX_UNDER_WAY; i++) {
      reset("full");
    }
    resets.begin(() -> {
      throw new IllegalStateException("on purpose");
    });
    reset("one more");
    hold.close();
    assertThat(told).hasSize(ResetDrains.MAX_UNDER_WAY + 1).contains("one more");
    reset("last");
    assertThat(told).contains("last");
  }
}
