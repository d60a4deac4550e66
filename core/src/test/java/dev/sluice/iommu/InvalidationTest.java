package dev.sluice.iommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.iommu.Invalidation.Binding;
import dev.sluice.memory.GuestMemory;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class InvalidationTest {
  private final Endpoint endpoint = Endpoint.standalone(new RequesterId(1), new GuestMemory());

  @Test
  void aMaskSaysWhichBitsOfTheTagCount() {
    Invalidation what = new Invalidation(0xF0, 0x20, true, 0, -1, Binding.NONE, null);
    assertThat(what.matches(0x2A)).isTrue();
    assertThat(what.matches(0x3A)).isFalse();
    assertThat(Invalidation.all().matches(-1)).isTrue();
    assertThat(Invalidation.ofSpace(5).matches(5)).isTrue();
    assertThat(Invalidation.ofSpace(5).matches(4)).isFalse();
  }

  @Test
  void whatMakesNoSenseIsRefused() {
    assertThatThrownBy(() -> Invalidation.ofRange(1, 5, 4))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Invalidation.ofRange(1, -1, 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Invalidation(0, 0, false, 0, -1, Binding.NAMED, null))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(
            () -> new Invalidation(0, 0, false, 0, -1, Binding.NONE, Requesters.of(endpoint)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(
            () -> new Invalidation(0, 0, true, 0, -1, Binding.NAMED, Requesters.of(endpoint)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("leaves translations cached");
  }

  @Test
  void patienceIsNeitherNegativeNorBeyondTheClock() {
    assertThat(Revocation.never().patience()).isNull();
    assertThat(Revocation.immediately().patience()).isZero();
    assertThatThrownBy(() -> Revocation.after(Duration.ofNanos(-1)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Revocation.after(Duration.ofDays(400)))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
