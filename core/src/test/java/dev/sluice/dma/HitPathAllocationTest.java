package dev.sluice.dma;

import static dev.sluice.dma.DmaMachine.PAGE;
import static dev.sluice.dma.DmaMachine.RAM;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.sluice.iommu.FakeIommu;
import dev.sluice.memory.Access;
import dev.sluice.memory.Bytes;
import dev.sluice.memory.Word;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Accesses whose translation is cached allocate nothing, behind an IOMMU or without one.
class HitPathAllocationTest {
  private static final int OPERATIONS = 50_000;
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final DmaMachine machine = new DmaMachine();
  private final Word word = new Word();
  private final MemorySegment buffer = Bytes.zeros(4096);

  private interface Operation {
    @Nullable Object run(long iova);
  }

  /// The bytes that an operation allocates, in the best of some rounds: in the others the compiler
  /// may not have been through.
  private static double allocatedBy(Operation operation, long base) {
    double best = Double.MAX_VALUE;
    for (int round = 0; round < 40 && best > 0; round++) {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < OPERATIONS; i++) {
        if (operation.run(base + (i & 63) * 64L) != null) {
          throw new AssertionError("refused");
        }
      }
      long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
      best = Math.min(best, (double) allocated / OPERATIONS);
    }
    return best;
  }

  private void allocatesNothing(String name, Operation operation, long base) {
    // Whatever the measurement itself allocates is shared by all operations of a round.
    assertThat(allocatedBy(operation, base)).as(name).isLessThan(0.1);
  }

  private void everyAccess(DmaContext dma, long base) {
    ScatterGatherList list = new ScatterGatherList().add(base, 64).add(base + 128, 64);
    allocatesNothing("load", iova -> dma.load(iova, 8, LITTLE, word), base);
    allocatesNothing("load of 2", iova -> dma.load(iova, 2, ByteOrder.BIG_ENDIAN, word), base);
    allocatesNothing("store", iova -> dma.store(iova, 4, LITTLE, 1), base);
    allocatesNothing("add", iova -> dma.fetchAndAdd(iova, 8, LITTLE, 1, word), base);
    allocatesNothing("exchange", iova -> dma.compareAndExchange(iova, 8, LITTLE, 0, 1, word), base);
    allocatesNothing("read", iova -> dma.read(iova, buffer, 0, 64), base);
    allocatesNothing("write", iova -> dma.write(iova, buffer, 0, 64), base);
    allocatesNothing("fill with zero", iova -> dma.fill(iova, 64, (byte) 0), base);
    allocatesNothing("fill with 1", iova -> dma.fill(iova, 64, (byte) 1), base);
    allocatesNothing("check", iova -> dma.check(iova, 64, Access.READ_WRITE), base);
    Mapping mapping = dma.newMapping();
    allocatesNothing(
        "map and unmap",
        iova -> {
          TargetAbort abort = dma.map(iova, 64, Access.READ_WRITE, mapping);
          mapping.close();
          return abort;
        },
        base);
    allocatesNothing("list", _ -> dma.read(list, 32, buffer, 0, 96), base);
  }

  @Test
  void behindAnIommu() {
    machine.map(0, 0).map(1, 1);
    everyAccess(machine.dma, 0);
  }

  @Test
  void withoutAnIommu() {
    try (DmaContext direct = DmaContext.direct(machine.memory, DmaMachine.DEVICE)) {
      everyAccess(direct, RAM);
    }
  }

  @Test
  void anInvalidationThatNothingIsInTheWayOf() {
    machine.map(0, 0);
    Runnable completed = () -> {};
    allocatesNothing(
        "invalidation",
        iova -> {
          machine.iommu.invalidator().invalidate(FakeIommu.TAG, iova, iova, completed);
          return null;
        },
        0);
  }

  @Test
  void throughAMappingOfAPage() {
    machine.map(0, 0);
    throughAMapping(PAGE);
  }

  @Test
  void throughAMappingOfSeveralPages() {
    machine.map(0, 0).map(1, 1);
    throughAMapping(2 * PAGE);
  }

  private void throughAMapping(long length) {
    try (Mapping mapping = machine.mapping(0, length, Access.READ_WRITE)) {
      allocatesNothing("load", at -> mapping.load(at, 8, LITTLE) == -1 ? mapping : null, 0);
      allocatesNothing(
          "store",
          at -> {
            mapping.store(at, 4, LITTLE, 1);
            return null;
          },
          0);
      allocatesNothing(
          "read",
          at -> {
            mapping.read(at, buffer, 0, 64);
            return null;
          },
          0);
      allocatesNothing(
          "write",
          at -> {
            mapping.write(at, buffer, 0, 64);
            return null;
          },
          0);
    }
  }
}
