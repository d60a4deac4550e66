package dev.sluice.pci.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NapTest {
  private static final long US = 1000;

  private final Nap nap = new Nap();
  private long now = 1_000_000_000;

  /// A guest that takes `nanos` for each of the commands of which it has `depth` under way, and
  /// whose commands are found `burst` at a time.
  private void rounds(int count, int depth, int burst, long nanos) {
    for (int i = 0; i < count; i++) {
      nap.found(now, depth);
      for (int k = 0; k < burst; k++) {
        nap.fetched();
      }
      now += burst * nanos;
    }
  }

  @Test
  void nobodySleepsAtFirst() {
    assertThat(nap.nanos()).isZero();
  }

  @ParameterizedTest
  @ValueSource(longs = {5, 100, 500, 100_000})
  void nobodySleepsWhileTheGuestWaitsForEachCommand(long micros) {
    rounds(100, 1, 1, micros * US);
    assertThat(nap.nanos()).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 8})
  void aSleepIsAThirdOfTheGuestsWorkHoweverItsCommandsAreFound(int burst) {
    rounds(100, 8, burst, 40 * US);
    assertThat(nap.nanos()).isBetween(104 * US, 107 * US);
  }

  @Test
  void aSleepHasALongestTime() {
    rounds(100, 32, 4, 60 * US);
    assertThat(nap.nanos()).isEqualTo(Nap.LONGEST_NANOS);
  }

  @Test
  void nobodySleepsWhileTheGuestIsFast() {
    rounds(100, 8, 4, 10 * US);
    assertThat(nap.nanos()).isZero();
  }

  @Test
  void aGuestThatComesDownToOneCommandAtATimeIsSoonWaitedFor() {
    rounds(100, 32, 8, 60 * US);
    rounds(30, 1, 1, 200 * US);
    assertThat(nap.nanos()).isZero();
  }

  @Test
  void aTimeWithoutCommandsCountsForLittle() {
    rounds(100, 8, 8, 15 * US);
    assertThat(nap.nanos()).isZero();
    now += 3_600_000_000L * US;
    rounds(20, 8, 8, 15 * US);
    assertThat(nap.nanos()).isZero();
  }

  @Test
  void theClockMayGoBack() {
    rounds(100, 8, 8, 40 * US);
    nap.found(Long.MIN_VALUE, 8);
    nap.fetched();
    nap.found(Long.MIN_VALUE + 1, 8);
    assertThat(nap.nanos()).isBetween(0L, Nap.LONGEST_NANOS);
  }
}
