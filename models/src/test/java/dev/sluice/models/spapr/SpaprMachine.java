package dev.sluice.models.spapr;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.MapResult;
import dev.sluice.dma.Mapping;
import dev.sluice.dma.TargetAbort;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.RamRegion;
import dev.sluice.memory.Word;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A partition with 64 MiB of memory, a host bridge, a function behind it, and two processors.
/// Numbers of hypercalls and of their results are written here again, from LoPAR.
final class SpaprMachine implements AutoCloseable {
  static final int MEMORY_BYTES = 64 << 20;
  static final RequesterId DEVICE = RequesterId.of(0, 5, 0);
  static final long LIOBN = 0x8000_0000L;
  static final long DYNAMIC_LIOBN = 0x8000_0001L;
  static final long DYNAMIC_BASE = 0x0800_0000_0000_0000L;
  static final int UNIT_HIGH = 0x0800_0000;
  static final int UNIT_LOW = 0x2000_0000;
  static final long LIST = 0x10_0000;

  static final long H_GET_TCE = 0x1C;
  static final long H_PUT_TCE = 0x20;
  static final long H_STUFF_TCE = 0x138;
  static final long H_PUT_TCE_INDIRECT = 0x13C;

  static final long SUCCESS = 0;
  static final long PARTIAL = 5;
  static final long HARDWARE = -1;
  static final long FUNCTION = -2;
  static final long PARAMETER = -4;
  static final long NOT_ENOUGH_RESOURCES = -44;
  static final long P4 = -57;

  /// A processor that writes down what is done to it.
  static final class Cpu implements VirtualCpu {
    final List<String> events = new ArrayList<>();

    @Override
    public synchronized void halt() {
      events.add("halt");
    }

    @Override
    public synchronized void resume(long returnCode) {
      events.add("resume " + returnCode);
    }

    synchronized List<String> events() {
      return List.copyOf(events);
    }
  }

  final GuestMemory memory = new GuestMemory();
  final SpaprIommu iommu;
  final PartitionableEndpoint bridge;
  final DmaContext device;
  final Cpu cpu = new Cpu();
  final Cpu other = new Cpu();

  SpaprMachine() {
    this(SpaprConfig.DEFAULT);
  }

  SpaprMachine(SpaprConfig config) {
    memory.addRam(0, RamRegion.allocate(MEMORY_BYTES));
    iommu = new SpaprIommu(config, memory);
    bridge = iommu.addHostBridge(0);
    iommu.attach(DEVICE, bridge);
    device = context(DEVICE);
  }

  /// A device's way into memory; a drain waits for its mappings for as long as it takes.
  DmaContext context(RequesterId requester) {
    DmaContext context = DmaContext.behind(iommu, memory, requester);
    context.revocation(Revocation.never());
    return context;
  }

  long call(long opcode, long... arguments) {
    return call(cpu, opcode, arguments);
  }

  long call(VirtualCpu caller, long opcode, long... arguments) {
    long[] registers = new long[SpaprIommu.REGISTERS];
    System.arraycopy(arguments, 0, registers, 0, arguments.length);
    return iommu.hypercall(caller, opcode, registers);
  }

  long put(long ioba, long tce) {
    return call(H_PUT_TCE, LIOBN, ioba, tce);
  }

  /// What H_GET_TCE finds.
  long get(long liobn, long ioba) {
    long[] registers = {liobn, ioba, 0, 0};
    assertThat(iommu.hypercall(cpu, H_GET_TCE, registers)).isEqualTo(SUCCESS);
    return registers[0];
  }

  /// Writes a list for H_PUT_TCE_INDIRECT.
  void list(long... entries) {
    for (int i = 0; i < entries.length; i++) {
      store(LIST + i * 8L, entries[i]);
    }
  }

  void store(long address, long value) {
    assertThat(memory.store(address, 8, ByteOrder.BIG_ENDIAN, value)).isEqualTo(MemoryStatus.OK);
  }

  long load(long address) {
    Word word = new Word();
    assertThat(memory.load(address, 8, ByteOrder.BIG_ENDIAN, word)).isEqualTo(MemoryStatus.OK);
    return word.asLong();
  }

  /// The outputs of an RTAS call that is complete at once.
  int[] rtas(RtasFunction function, int outputs, int... inputs) {
    int[] cells = new int[outputs];
    assertThat(iommu.rtas(cpu, function, inputs, cells)).isEqualTo(SUCCESS);
    return cells;
  }

  /// Creates a dynamic window beside the default one.
  void createWindow(int pageShift, int windowShift) {
    assertThat(
            rtas(
                RtasFunction.CREATE_PE_DMA_WINDOW,
                4,
                0,
                UNIT_HIGH,
                UNIT_LOW,
                pageShift,
                windowShift))
        .containsExactly(0, (int) DYNAMIC_LIOBN, (int) (DYNAMIC_BASE >>> 32), 0);
  }

  @Nullable TargetAbort write(long ioba) {
    return device.store(ioba, 8, ByteOrder.BIG_ENDIAN, 0x1122_3344_5566_7788L);
  }

  @Nullable TargetAbort read(long ioba) {
    return device.load(ioba, 8, ByteOrder.BIG_ENDIAN, new Word());
  }

  Mapping mapping(long ioba, long length) {
    MapResult result = device.map(ioba, length, Access.READ_WRITE);
    assertThat(result).isInstanceOf(Mapping.class);
    return (Mapping) result;
  }

  /// Gives the memory back, once no mapping holds it.
  @Override
  public void close() {
    memory.remove(0, MEMORY_BYTES - 1, () -> {});
  }
}
