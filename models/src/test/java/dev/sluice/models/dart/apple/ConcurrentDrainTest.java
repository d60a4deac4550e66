package dev.sluice.models.dart.apple;

import static dev.sluice.models.dart.apple.DartMachine.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.MapResult;
import dev.sluice.dma.Mapping;
import dev.sluice.memory.Access;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The promise itself, with devices on threads of their own: once the guest has seen the busy bit
/// clear, the page that was unmapped keeps what the guest writes there.
class ConcurrentDrainTest {
  private static final int ROUNDS = 100;
  private static final int STREAM = 5;
  private static final int OTHER = 6;
  private static final long IOVA = 0x4000;
  private static final int PAGE = 0x4000;
  private static final long PAGES = 0x10_0000;
  private static final int PAGE_COUNT = 16;
  private static final byte DEVICE_BYTE = 0x11;
  private static final long GUEST_PATTERN = 0x2222_2222_2222_2222L;

  private final AtomicBoolean stop = new AtomicBoolean();
  private final CountDownLatch writing = new CountDownLatch(1);
  private final CountDownLatch mapping = new CountDownLatch(1);

  @ParameterizedTest
  @EnumSource
  void aPageBelongsToTheGuestAgainOnceTheBitIsClear(DartType type)
      throws ExecutionException, InterruptedException {
    try (ExecutorService devices = Executors.newFixedThreadPool(2);
        DartMachine machine = DartMachine.of(type)) {
      long top = machine.translated(STREAM);
      machine.write(machine.ttbr(OTHER, 0), machine.valid(top));
      machine.write(machine.tcr(OTHER), machine.translate());
      machine.map(top, IOVA, page(0), READ_WRITE);
      List<Future<?>> running = new ArrayList<>();
      running.add(devices.submit(() -> write(machine)));
      running.add(devices.submit(() -> mapAndWrite(machine)));
      try {
        writing.await();
        mapping.await();
        for (int round = 1; round <= ROUNDS; round++) {
          machine.map(top, IOVA, page(round), READ_WRITE);
          invalidate(machine, STREAM);
          invalidate(machine, OTHER);
          long old = page(round - 1);
          for (int i = 0; i < PAGE; i += 512) {
            machine.store(old + i, GUEST_PATTERN);
          }
          // The next time round it is the guest's for almost as long.
          long longAgo = page(round + 2);
          for (int i = 0; round > PAGE_COUNT && i < PAGE; i += 512) {
            assertThat(machine.load(longAgo + i)).isEqualTo(GUEST_PATTERN);
          }
        }
      } finally {
        stop.set(true);
      }
      for (Future<?> one : running) {
        one.get();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aBlockedStreamReachesNothingOnceTheBitIsClear(DartType type)
      throws ExecutionException, InterruptedException {
    try (ExecutorService devices = Executors.newFixedThreadPool(2);
        DartMachine machine = DartMachine.of(type)) {
      machine.map(machine.translated(STREAM), IOVA, page(0), READ_WRITE);
      List<Future<?>> running = new ArrayList<>();
      running.add(devices.submit(() -> writeIfAllowed(machine, writing)));
      running.add(devices.submit(() -> writeIfAllowed(machine, mapping)));
      try {
        writing.await();
        mapping.await();
        for (int round = 1; round <= ROUNDS; round++) {
          machine.write(machine.tcr(STREAM), 0);
          invalidate(machine, STREAM);
          for (int i = 0; i < PAGE; i += 512) {
            machine.store(page(0) + i, GUEST_PATTERN);
          }
          for (int i = 0; i < PAGE; i += 512) {
            assertThat(machine.load(page(0) + i)).isEqualTo(GUEST_PATTERN);
          }
          machine.write(machine.tcr(STREAM), machine.translate());
        }
      } finally {
        stop.set(true);
      }
      for (Future<?> one : running) {
        one.get();
      }
    }
  }

  private static long page(int round) {
    return PAGES + (long) (round % PAGE_COUNT) * PAGE;
  }

  private static void invalidate(DartMachine machine, int stream) {
    machine.invalidate(stream);
    while (machine.isBusy()) {
      LockSupport.parkNanos(1_000);
    }
  }

  private void write(DartMachine machine) {
    try (DmaContext device = machine.attach(STREAM)) {
      while (!stop.get()) {
        assertThat(device.fill(IOVA, PAGE, DEVICE_BYTE)).isNull();
        writing.countDown();
      }
    } finally {
      writing.countDown();
    }
  }

  private void writeIfAllowed(DartMachine machine, CountDownLatch begun) {
    try (DmaContext device = machine.attach(STREAM)) {
      while (!stop.get()) {
        if (device.fill(IOVA, PAGE, DEVICE_BYTE) == null) {
          begun.countDown();
        }
      }
    } finally {
      begun.countDown();
    }
  }

  private void mapAndWrite(DartMachine machine) {
    try (DmaContext device = machine.attach(OTHER)) {
      while (!stop.get()) {
        MapResult result = device.map(IOVA, PAGE, Access.WRITE);
        assertThat(result).isInstanceOf(Mapping.class);
        try (Mapping mapping = (Mapping) result) {
          for (int i = 0; i < 4; i++) {
            mapping.fill(0, mapping.length(), DEVICE_BYTE);
          }
        }
        this.mapping.countDown();
      }
    } finally {
      this.mapping.countDown();
    }
  }
}
