package dev.sluice.models.dart.u3;

import static dev.sluice.models.dart.u3.DartMachine.CNTL;
import static dev.sluice.models.dart.u3.DartMachine.DEVICE;
import static dev.sluice.models.dart.u3.DartMachine.U4_ENABLE;
import static dev.sluice.models.dart.u3.DartMachine.U4_IONE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.MapResult;
import dev.sluice.dma.Mapping;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;
import dev.sluice.memory.MemoryStatus;
import java.nio.ByteOrder;
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

/// The promise itself, with devices on threads of their own: once the guest has seen a flush bit
/// clear, the page that was unmapped keeps what the guest writes there.
class ConcurrentDrainTest {
  private static final int ROUNDS = 500;
  private static final long IOVA = 0x5000;
  private static final long PAGES = 0x10_0000;
  private static final int PAGE_COUNT = 16;
  private static final byte DEVICE_BYTE = 0x11;
  private static final long GUEST_PATTERN = 0x2222_2222_2222_2222L;

  enum How {
    U3_FLUSH,
    U4_FLUSH,
    U4_ONE_PAGE
  }

  private final AtomicBoolean stop = new AtomicBoolean();
  private final CountDownLatch writing = new CountDownLatch(1);
  private final CountDownLatch mapping = new CountDownLatch(1);

  @ParameterizedTest
  @EnumSource
  void aPageBelongsToTheGuestAgainOnceTheBitIsClear(How how)
      throws ExecutionException, InterruptedException {
    try (ExecutorService devices = Executors.newFixedThreadPool(2);
        DartMachine machine =
            new DartMachine(how == How.U3_FLUSH ? U3DartConfig.U3 : U3DartConfig.U4)) {
      machine.enabled(1);
      machine.map(IOVA, page(0));
      List<Future<?>> running = new ArrayList<>();
      running.add(devices.submit(() -> write(machine, DEVICE)));
      running.add(devices.submit(() -> mapAndWrite(machine, RequesterId.of(0, 6, 0))));
      try {
        writing.await();
        mapping.await();
        for (int round = 1; round <= ROUNDS; round++) {
          machine.map(IOVA, page(round));
          flush(machine, how);
          long old = page(round - 1);
          for (int i = 0; i < 4096; i += 512) {
            assertThat(machine.memory.store(old + i, 8, ByteOrder.LITTLE_ENDIAN, GUEST_PATTERN))
                .isEqualTo(MemoryStatus.OK);
          }
          // The next time round it is the guest's for almost as long.
          long longAgo = page(round + 2);
          for (int i = 0; round > PAGE_COUNT && i < 4096; i += 512) {
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

  private static long page(int round) {
    return PAGES + (round % PAGE_COUNT) * 4096L;
  }

  private static void flush(DartMachine machine, How how) {
    if (how == How.U4_ONE_PAGE) {
      machine.write(CNTL, U4_ENABLE | U4_IONE | IOVA >> 12);
      while ((machine.read(CNTL) & U4_IONE) != 0) {
        LockSupport.parkNanos(1_000);
      }
    } else {
      machine.flush();
      while (machine.isFlushing()) {
        LockSupport.parkNanos(1_000);
      }
    }
  }

  private void write(DartMachine machine, RequesterId requester) {
    try (DmaContext device = machine.attach(requester)) {
      while (!stop.get()) {
        assertThat(device.fill(IOVA, 4096, DEVICE_BYTE)).isNull();
        writing.countDown();
      }
    } finally {
      writing.countDown();
    }
  }

  private void mapAndWrite(DartMachine machine, RequesterId requester) {
    try (DmaContext device = machine.attach(requester)) {
      while (!stop.get()) {
        MapResult result = device.map(IOVA, 4096, Access.WRITE);
        assertThat(result).isInstanceOf(Mapping.class);
        try (Mapping mapping = (Mapping) result) {
          for (int i = 0; i < 4; i++) {
            mapping.fill(0, 4096, DEVICE_BYTE);
          }
        }
        this.mapping.countDown();
      }
    } finally {
      this.mapping.countDown();
    }
  }
}
