package dev.sluice.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class InvalidationCountTest {
  private final InvalidationCount count = new InvalidationCount();

  @Test
  void itIsOddWhileAnInvalidationChangesWhatIsCached() {
    assertThat(count.get()).isZero();
    assertThat(count.begin()).isEqualTo(1);
    assertThat(count.get()).isEqualTo(1);
    assertThat(count.end()).isEqualTo(2);
    assertThat(count.getVolatile()).isEqualTo(2);
  }

  @Test
  void beginAndEndBothShowInIt() {
    long before = count.get();
    assertThat(count.isStill(before)).isTrue();
    long during = count.begin();
    assertThat(count.isStill(before)).isFalse();
    count.end();
    assertThat(count.isStill(before)).isFalse();
    assertThat(count.isStill(during)).isFalse();
    assertThat(count.isStill(count.get())).isTrue();
  }

  /// What is changed between the two is changed by one at a time, in the order of their numbers.
  @Test
  void invalidationsOfSeveralThreadsChangeOneAfterTheOther() throws Exception {
    int each = 20_000;
    long[] latest = {0};
    int[] changes = {0};
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      threads.add(
          Thread.ofPlatform()
              .start(() -> {
                for (int n = 0; n < each; n++) {
                  long number = count.begin();
                  if (number > latest[0]) {
                    latest[0] = number;
                    changes[0]++;
                  }
                  count.end();
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(changes[0]).isEqualTo(2 * each);
    assertThat(latest[0]).isEqualTo(4L * each - 1);
    assertThat(count.get()).isEqualTo(4L * each);
  }
}
