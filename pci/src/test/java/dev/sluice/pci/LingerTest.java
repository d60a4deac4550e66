package dev.sluice.pci;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LingerTest {
  private static final long US = 1000;

  private final Linger linger = new Linger();

  private void gap(long from, long length) {
    linger.isWorthwhile(from);
    linger.found(from + length);
  }

  @Test
  void nobodyLingersBeforeTheGuestHasComeBackQuickly() {
    assertThat(linger.isWorthwhile(0)).isFalse();
  }

  @Test
  void afterAQuickReturnTheNextIsWaitedForTwiceAsLong() {
    gap(0, 30 * US);

    assertThat(linger.isWorthwhile(1000 * US)).isTrue();
    assertThat(linger.isWorthwhile(1059 * US)).isTrue();
    assertThat(linger.isWorthwhile(1060 * US)).isFalse();
  }

  @Test
  void theWaitHasALimit() {
    gap(0, Linger.LONGEST_NANOS);

    linger.isWorthwhile(1000 * US);
    assertThat(linger.isWorthwhile(1000 * US + Linger.LONGEST_NANOS)).isFalse();
  }

  @Test
  void aGuestThatStaysAwayIsSoonNotWaitedFor() {
    gap(0, 100 * US);
    for (int i = 0; i < 5; i++) {
      gap(i * 1_000_000L * US, 10_000 * US);
    }

    assertThat(linger.isWorthwhile(10_000_000 * US)).isFalse();
  }

  @Test
  void whoWasNotAloneOnTheProcessorLingersNoMoreForAWhile() {
    gap(0, 100 * US);
    linger.isWorthwhile(1000 * US);
    linger.paused(1000 * US, 1050 * US);
    assertThat(linger.isWorthwhile(1050 * US)).isTrue();

    linger.paused(1050 * US, 1250 * US);

    linger.found(1260 * US);
    assertThat(linger.isWorthwhile(1270 * US)).isFalse();
    linger.found(1280 * US);
    assertThat(linger.isWorthwhile(20_000 * US)).isFalse();
    linger.found(20_100 * US);
    assertThat(linger.isWorthwhile(30_000 * US)).isTrue();
  }

  @Test
  void theClockMayPassItsEnd() {
    gap(Long.MAX_VALUE - 10 * US, 30 * US);

    linger.isWorthwhile(Long.MAX_VALUE - 10 * US);
    assertThat(linger.isWorthwhile(Long.MIN_VALUE + 40 * US)).isTrue();
    assertThat(linger.isWorthwhile(Long.MIN_VALUE + 60 * US)).isFalse();
  }
}
