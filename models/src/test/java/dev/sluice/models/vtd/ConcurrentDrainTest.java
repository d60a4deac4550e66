package dev.sluice.models.vtd;

import static dev.sluice.models.vtd.VtdMachine.DEVICE;
import static dev.sluice.models.vtd.VtdMachine.DOMAIN;
import static dev.sluice.models.vtd.VtdMachine.IOTLB;
import static dev.sluice.models.vtd.VtdMachine.IQA;
import static dev.sluice.models.vtd.VtdMachine.IQT;
import static dev.sluice.models.vtd.VtdMachine.QUEUE;
import static dev.sluice.models.vtd.VtdMachine.STATUS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.MapResult;
import dev.sluice.dma.Mapping;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The promise itself, with devices on threads of their own: once the guest has seen that an
/// invalidation is complete, the page that was unmapped keeps what the guest writes there.
class ConcurrentDrainTest {
  private static final int ROUNDS = 200;
  private static final long IOVA = 0x4000_0000L;
  private static final long PAGES = 0x10_0000;
  private static final int PAGE_COUNT = 16;
  private static final byte DEVICE_BYTE = 0x11;
  private static final long GUEST_PATTERN = 0x2222_2222_2222_2222L;

  enum How {
    QUEUE_BY_PAGE,
    QUEUE_BY_CONTEXT,
    REGISTER
  }

  private final GuestMemory memory = new GuestMemory();
  private final AtomicBoolean stop = new AtomicBoolean();
  private int tail;
  private int sequence;

  @ParameterizedTest
  @EnumSource
  void aPageBelongsToTheGuestAgainOnceTheInvalidationIsComplete(How how)
      throws ExecutionException, InterruptedException {
    memory.addRam(0, RamRegion.allocate(8 << 20));
    GuestTables tables = new GuestTables(memory, VtdMachine.TABLES);
    try (ExecutorService worker = Executors.newSingleThreadExecutor();
        ExecutorService devices = Executors.newFixedThreadPool(2)) {
      VtdIommu iommu = new VtdIommu(VtdConfig.DEFAULT, memory, (_, _) -> {}, worker);
      long first = tables.translated(DEVICE, GuestTables.WIDTH_48, DOMAIN);
      long second = tables.page();
      map(tables, first, 0);
      iommu.writeRegister(VtdMachine.RTADDR, 8, tables.rootTable());
      iommu.writeRegister(VtdMachine.GCMD, 4, VtdMachine.SRTP);
      iommu.writeRegister(IQA, 8, QUEUE);
      long levels = VtdMachine.TE | (how == How.REGISTER ? 0 : VtdMachine.QIE);
      iommu.writeRegister(VtdMachine.GCMD, 4, levels);

      List<Future<?>> running = new ArrayList<>();
      running.add(devices.submit(() -> write(iommu, DEVICE)));
      running.add(devices.submit(() -> mapAndWrite(iommu, DEVICE)));
      try {
        long table = first;
        for (int round = 1; round <= ROUNDS; round++) {
          long old = page(round - 1);
          if (how == How.QUEUE_BY_CONTEXT) {
            table = table == first ? second : first;
            map(tables, table, round);
            tables.context(DEVICE, 0, table, GuestTables.WIDTH_48, DOMAIN);
          } else {
            map(tables, table, round);
          }
          invalidate(iommu, tables, how);
          for (int i = 0; i < 4096; i += 512) {
            tables.store(old + i, GUEST_PATTERN);
          }
          // The next time round it is the guest's for almost as long.
          long longAgo = page(round + 2);
          if (round > PAGE_COUNT) {
            for (int i = 0; i < 4096; i += 512) {
              assertThat(tables.load(longAgo + i)).isEqualTo(GUEST_PATTERN);
            }
          }
        }
      } finally {
        stop.set(true);
      }
      for (Future<?> one : running) {
        one.get();
      }
    }
    memory.remove(0, (8 << 20) - 1, () -> {});
  }

  private static long page(int round) {
    return PAGES + (round % PAGE_COUNT) * 4096L;
  }

  private static void map(GuestTables tables, long table, int round) {
    tables.map(table, 4, 1, IOVA, page(round), GuestTables.READ_WRITE);
  }

  private void write(VtdIommu iommu, RequesterId requester) {
    try (DmaContext device = DmaContext.behind(iommu, memory, requester)) {
      while (!stop.get()) {
        assertThat(device.fill(IOVA, 4096, DEVICE_BYTE)).isNull();
      }
    }
  }

  private void mapAndWrite(VtdIommu iommu, RequesterId requester) {
    try (DmaContext device = DmaContext.behind(iommu, memory, requester)) {
      while (!stop.get()) {
        MapResult result = device.map(IOVA, 4096, Access.WRITE);
        assertThat(result).isInstanceOf(Mapping.class);
        try (Mapping mapping = (Mapping) result) {
          for (int i = 0; i < 4; i++) {
            mapping.fill(0, 4096, DEVICE_BYTE);
          }
        }
      }
    }
  }

  private void invalidate(VtdIommu iommu, GuestTables tables, How how) {
    switch (how) {
      case REGISTER -> {
        iommu.writeRegister(IOTLB, 8, VtdMachine.BIT_63 | (2L << 60) | ((long) DOMAIN << 32));
        while ((iommu.readRegister(IOTLB, 8) & VtdMachine.BIT_63) != 0) {
          Thread.onSpinWait();
        }
      }
      case QUEUE_BY_PAGE -> submit(iommu, tables, 0x32 | (DOMAIN << 16), IOVA);
      case QUEUE_BY_CONTEXT -> {
        submit(iommu, tables, 0x31 | (DOMAIN << 16) | ((long) DEVICE.value() << 32), 0);
        submit(iommu, tables, 0x22 | (DOMAIN << 16), 0);
      }
    }
  }

  /// One descriptor and a wait, and then until the wait's status is there, as a driver does.
  private void submit(VtdIommu iommu, GuestTables tables, long low, long high) {
    sequence++;
    put(tables, low, high);
    put(tables, VtdMachine.waitLow(sequence), STATUS);
    iommu.writeRegister(IQT, 4, tail * 16L);
    while ((int) tables.load(STATUS) != sequence) {
      Thread.onSpinWait();
    }
  }

  private void put(GuestTables tables, long low, long high) {
    tables.store(QUEUE + tail * 16L, low);
    tables.store(QUEUE + tail * 16L + 8, high);
    tail = (tail + 1) % 256;
  }
}
