package dev.sluice.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class EventCounterTest {
  private final EventCounter counter = new EventCounter();

  private void count(int events) {
    for (int i = 0; i < events; i++) {
      counter.increment();
    }
  }

  @Test
  void losesNothingOfManyThreadsAtATime() throws InterruptedException {
    // More than there are cells, so that some meet.
    int threads = 40;
    CountDownLatch start = new CountDownLatch(1);
    List<Thread> running = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      running.add(
          Thread.ofPlatform()
              .start(() -> {
                try {
                  start.await();
                } catch (InterruptedException e) {
                  throw new AssertionError(e);
                }
                count(10_000);
              }));
    }
    start.countDown();
    for (Thread thread : running) {
      thread.join();
    }
    assertThat(counter.sum()).isEqualTo(threads * 10_000L);
  }

  @Test
  void losesNothingOfThreadsThatHaveDied() throws InterruptedException {
    for (int i = 0; i < 100; i++) {
      Thread thread = Thread.ofPlatform().start(() -> count(7));
      thread.join();
    }
    assertThat(counter.sum()).isEqualTo(700);
    count(3);
    assertThat(counter.sum()).isEqualTo(703);
  }
}
