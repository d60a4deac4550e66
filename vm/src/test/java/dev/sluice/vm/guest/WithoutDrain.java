package dev.sluice.vm.guest;

import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.Word;
import dev.sluice.pci.BarHandler;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/// A VT-d whose drain is switched off: its caches forget, and then the guest sees every wait of the
/// invalidation queue complete at once, whatever a device still holds.
///
/// It puts something harmless in the place of the wait descriptors (6.5.2.8) before the unit sees
/// them, because the unit would go on to the descriptors behind them only after the drain; and it
/// writes their status in the unit's place as soon as the unit has been told of the new tail.
public final class WithoutDrain implements BarHandler {
  private static final int QUEUE_TAIL = 0x88;
  private static final int QUEUE_ADDRESS = 0x90;
  private static final int DESCRIPTOR = 16;
  private static final int TYPE = 0xF;
  private static final int TYPE_WAIT = 5;
  private static final long WRITES_STATUS = 1L << 5;

  /// An IOTLB invalidation (6.5.2.3) of a domain that no guest uses.
  private static final long HARMLESS = 2 | 2 << 4 | 0xfffeL << 16;

  private final BarHandler registers;
  private final GuestMemory memory;
  private long queue;
  private long bytes;
  private long tail;

  private record Status(long address, long data) {}

  /// @param registers of the unit
  /// @param memory where its queue is
  public WithoutDrain(BarHandler registers, GuestMemory memory) {
    this.registers = registers;
    this.memory = memory;
  }

  @Override
  public long read(long offset, int size) {
    return registers.read(offset, size);
  }

  @Override
  public void write(long offset, int size, long value) {
    List<Status> promised = List.of();
    if (offset == QUEUE_ADDRESS) {
      queue = value & -4096;
      bytes = 4096L << (value & 7);
      tail = 0;
    } else if (offset == QUEUE_TAIL && queue != 0) {
      promised = takeWaits(value);
    }
    registers.write(offset, size, value);
    for (Status status : promised) {
      require(memory.store(status.address(), 4, ByteOrder.LITTLE_ENDIAN, status.data()));
    }
  }

  private List<Status> takeWaits(long newTail) {
    List<Status> waits = new ArrayList<>();
    for (; tail != newTail; tail = (tail + DESCRIPTOR) % bytes) {
      long low = load(queue + tail);
      if ((low & TYPE) == TYPE_WAIT && (low & WRITES_STATUS) != 0) {
        waits.add(new Status(load(queue + tail + 8) & ~3L, low >>> 32));
        require(memory.store(queue + tail, 8, ByteOrder.LITTLE_ENDIAN, HARMLESS));
        require(memory.store(queue + tail + 8, 8, ByteOrder.LITTLE_ENDIAN, 0));
      }
    }
    return waits;
  }

  private long load(long address) {
    Word word = new Word();
    require(memory.load(address, 8, ByteOrder.LITTLE_ENDIAN, word));
    return word.asLong();
  }

  private static void require(MemoryStatus status) {
    if (status != MemoryStatus.OK) {
      throw new AssertionError("the invalidation queue cannot be reached: " + status);
    }
  }
}
