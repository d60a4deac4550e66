package dev.sluice.pci.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PaceTest {
  private static final long US = 1000;

  private final Pace pace = new Pace();

  private void add(int times, long nanos) {
    for (int i = 0; i < times; i++) {
      pace.add(nanos, 4096);
    }
  }

  @Test
  void commandsThatFindThePageCacheAreNotSlow() {
    assertThat(pace.isSlow()).isFalse();
    add(100, 5 * US);
    assertThat(pace.isSlow()).isFalse();
  }

  @Test
  void commandsThatWaitForADiskAreSlow() {
    add(20, 100 * US);
    assertThat(pace.isSlow()).isTrue();
  }

  @Test
  void theCopyOfMuchDataIsNotSlow() {
    for (int i = 0; i < 100; i++) {
      pace.add(110 * US, 128 * 1024);
    }
    assertThat(pace.isSlow()).isFalse();
    for (int i = 0; i < 100; i++) {
      pace.add(130 * US, 128 * 1024);
    }
    assertThat(pace.isSlow()).isTrue();
  }

  @Test
  void aSingleHiccupChangesNothing() {
    add(100, 5 * US);
    pace.add(50_000 * US, 4096);
    assertThat(pace.isSlow()).isFalse();
  }

  @Test
  void whenTheyAreQuickAgainThatIsSeen() {
    add(100, 10_000 * US);
    add(30, 5 * US);
    assertThat(pace.isSlow()).isFalse();
  }
}
