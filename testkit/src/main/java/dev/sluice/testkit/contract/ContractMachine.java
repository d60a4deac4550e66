package dev.sluice.testkit.contract;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.MapResult;
import dev.sluice.dma.Mapping;
import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.Access;
import dev.sluice.memory.Word;
import java.nio.ByteOrder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/// Memory, a model with its guest's driver, and devices behind it.
public final class ContractMachine implements AutoCloseable {
  private static final long LOST_AFTER_NANOS = 30_000_000_000L;
  private static final long PAUSE_NANOS = 1_000;

  private final ContractMemory memory = new ContractMemory();
  private final IommuUnderTest model;
  private final UnaryOperator<Iommu> seenByDevices;
  private int devices;

  private ContractMachine(
      Function<ContractMemory, IommuUnderTest> start, UnaryOperator<Iommu> seenByDevices) {
    model = start.apply(memory);
    this.seenByDevices = seenByDevices;
  }

  /// A machine that is whole.
  static ContractMachine whole(Function<ContractMemory, IommuUnderTest> start) {
    return new ContractMachine(start, UnaryOperator.identity());
  }

  /// One whose drain is switched off.
  static ContractMachine withoutDrain(Function<ContractMemory, IommuUnderTest> start) {
    return new ContractMachine(start, WithoutDrain::new);
  }

  ContractMemory memory() {
    return memory;
  }

  IommuUnderTest model() {
    return model;
  }

  // --- places

  PageSize smallest() {
    return model.abilities().pageSizes().getFirst();
  }

  /// Bytes of a page of the smallest size.
  int page() {
    return 1 << smallest().shift();
  }

  /// I/O virtual address of a page of the smallest size.
  long iova(int number) {
    return smallest().iova() + (long) number * page();
  }

  /// A page of RAM.
  long frame(int number) {
    return memory.frames() + (long) number * page();
  }

  /// A page that is reached by messages.
  long messagePage(int number) {
    return memory.messages() + (long) number * page();
  }

  // --- the guest

  /// Maps a page for reading and writing.
  void map(int domain, int number, long address) {
    model.map(domain, iova(number), address, smallest(), Access.READ_WRITE);
  }

  /// Maps consecutive pages to consecutive frames of the same numbers.
  void mapFrames(int domain, int first, int count) {
    for (int i = first; i < first + count; i++) {
      map(domain, i, frame(i));
    }
  }

  /// Has the guest take a page away by an invalidation of some width, and with it what else the
  /// width takes.
  Request takeAway(Width width, int domain, int number, int pages) {
    return switch (width) {
      case PAGE -> model.unmap(domain, iova(number), 1);
      case RANGE -> model.unmap(domain, iova(number), pages);
      case DOMAIN, EVERYTHING -> model.clear(width, domain);
    };
  }

  /// Looks until the guest sees that a request is complete, as a driver does.
  static void await(Request request) {
    long began = System.nanoTime();
    while (!request.isComplete()) {
      if (System.nanoTime() - began > LOST_AFTER_NANOS) {
        throw new AssertionError("the invalidation never completes");
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  // --- the devices

  /// One more device. An invalidation waits for its mappings for as long as it takes.
  DmaContext device(int domain) {
    DmaContext device =
        DmaContext.behind(
            seenByDevices.apply(model.iommu()), memory.physical(), model.attach(devices++, domain));
    device.revocation(Revocation.never());
    return device;
  }

  /// Maps what is there.
  static Mapping mapping(DmaContext device, long iova, long length) {
    MapResult result = device.map(iova, length, Access.READ_WRITE);
    if (result instanceof Mapping mapping) {
      return mapping;
    }
    throw new AssertionError("a mapping was refused: " + result);
  }

  /// Whether a device can write to an address, and what it writes arrives at another.
  boolean leads(DmaContext device, long iova, long address) {
    long value = 0x5AA5_0FF0_1234_5678L;
    memory.store(address, Long.BYTES, ByteOrder.LITTLE_ENDIAN, 0);
    return device.store(iova, Long.BYTES, ByteOrder.LITTLE_ENDIAN, value) == null
        && memory.load(address, Long.BYTES, ByteOrder.LITTLE_ENDIAN) == value;
  }

  /// Whether a device may neither read nor write an address. Reports two faults if so.
  boolean isRefused(DmaContext device, long iova) {
    return device.load(iova, Long.BYTES, ByteOrder.LITTLE_ENDIAN, new Word()) != null
        && device.store(iova, Long.BYTES, ByteOrder.LITTLE_ENDIAN, 0) != null;
  }

  @Override
  public void close() {
    model.close();
    memory.close();
  }
}
