package dev.sluice.models.spapr;

import static dev.sluice.models.spapr.SpaprMachine.LIOBN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.Mapping;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/// The promise itself, with devices on threads of their own: once a hypercall is over, by its
/// return or by the resumption of its processor, the page that it took away keeps what the guest
/// writes there.
class ConcurrentDrainTest {
  private static final int ROUNDS = 300;
  private static final int PAGES = 16;
  private static final long IOBA = 0x10_0000;
  private static final long FIRST_PAGE = 0x100_0000;
  private static final long GUESTS = 0x2222_2222_2222_2222L;
  private static final long DEVICES = 0x1111_1111_1111_1111L;

  private final AtomicBoolean stop = new AtomicBoolean();

  /// A processor whose thread waits while it is halted, as a virtual machine monitor's may.
  private static final class Blocking implements VirtualCpu {
    private final Semaphore resumed = new Semaphore(0);

    @Override
    public void halt() {}

    @Override
    public void resume(long returnCode) {
      resumed.release();
    }
  }

  @Test
  void aPageBelongsToTheGuestAgainOnceTheHypercallIsOver()
      throws ExecutionException, InterruptedException {
    try (SpaprMachine machine = new SpaprMachine();
        ExecutorService devices = Executors.newFixedThreadPool(2)) {
      RequesterId second = RequesterId.of(0, 6, 0);
      machine.iommu.attach(second, machine.bridge);
      DmaContext other = machine.context(second);
      Blocking cpu = new Blocking();
      put(machine, cpu, page(0));
      List<Future<?>> running = new ArrayList<>();
      running.add(devices.submit(() -> write(machine.device)));
      running.add(devices.submit(() -> mapAndWrite(other)));
      try {
        for (int round = 1; round <= ROUNDS; round++) {
          put(machine, cpu, page(round));
          long old = page(round - 1);
          machine.store(old, GUESTS);
          for (int look = 0; look < 200; look++) {
            assertThat(machine.load(old)).isEqualTo(GUESTS);
            Thread.onSpinWait();
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
    return FIRST_PAGE + (long) (round % PAGES) * 4096;
  }

  private static void put(SpaprMachine machine, Blocking cpu, long page)
      throws InterruptedException {
    if (machine.call(cpu, SpaprMachine.H_PUT_TCE, LIOBN, IOBA, page | 3) == ReturnCode.HALTED) {
      cpu.resumed.acquire();
    }
  }

  private void write(DmaContext device) {
    while (!stop.get()) {
      assertThat(device.store(IOBA, 8, ByteOrder.BIG_ENDIAN, DEVICES)).isNull();
    }
  }

  private void mapAndWrite(DmaContext device) {
    while (!stop.get()) {
      if (device.map(IOBA, 4096, Access.READ_WRITE) instanceof Mapping mapping) {
        mapping.store(0, 8, ByteOrder.BIG_ENDIAN, DEVICES);
        mapping.close();
      }
    }
  }
}
