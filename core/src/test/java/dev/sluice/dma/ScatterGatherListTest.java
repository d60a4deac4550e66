package dev.sluice.dma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class ScatterGatherListTest {
  private final ScatterGatherList list = new ScatterGatherList();

  @Test
  void runsThatContinueOneAnotherAreOne() {
    list.add(0x1000, 0x100).add(0x1100, 0x10).add(0x2000, 1);
    assertThat(list.size()).isEqualTo(2);
    assertThat(list.iova(0)).isEqualTo(0x1000);
    assertThat(list.length(0)).isEqualTo(0x110);
    assertThat(list.totalLength()).isEqualTo(0x111);
  }

  @Test
  void aRunAtZeroDoesNotContinueTheEndOfTheAddressSpace() {
    list.add(-8, 8).add(0, 8);
    assertThat(list.size()).isEqualTo(2);
  }

  @Test
  void runsOfNoBytesAreLeftOut() {
    list.add(5, 0);
    assertThat(list.size()).isZero();
    assertThat(list.totalLength()).isZero();
  }

  @Test
  void aClearedListIsEmptyAndServesAgain() {
    for (int i = 0; i < 100; i++) {
      list.add(i * 2L, 1);
    }
    list.clear();
    assertThat(list.size()).isZero();
    assertThatThrownBy(() -> list.iova(0)).isInstanceOf(IndexOutOfBoundsException.class);
    list.add(7, 2);
    assertThat(list.iova(0)).isEqualTo(7);
    assertThat(list.totalLength()).isEqualTo(2);
  }

  @Test
  void theNumberOfRunsIsLimited() {
    for (int i = 0; i < ScatterGatherList.MAX_RUNS; i++) {
      list.add(i * 2L, 1);
    }
    assertThatThrownBy(() -> list.add(1L << 40, 1)).isInstanceOf(IllegalStateException.class);
    list.add((ScatterGatherList.MAX_RUNS - 1) * 2L + 1, 5); // continues the last one
    assertThat(list.size()).isEqualTo(ScatterGatherList.MAX_RUNS);
  }

  @Test
  void lengthsAreNotNegativeNorDoesTheirSumOverflow() {
    assertThatThrownBy(() -> list.add(0, -1)).isInstanceOf(IllegalArgumentException.class);
    list.add(0, Long.MAX_VALUE);
    assertThatThrownBy(() -> list.add(0, 1)).isInstanceOf(IllegalArgumentException.class);
    assertThat(list.totalLength()).isEqualTo(Long.MAX_VALUE);
    assertThatThrownBy(() -> list.length(1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> list.iova(-1)).isInstanceOf(IndexOutOfBoundsException.class);
  }
}
