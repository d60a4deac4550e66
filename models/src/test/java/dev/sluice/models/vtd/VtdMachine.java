package dev.sluice.models.vtd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.MapResult;
import dev.sluice.dma.Mapping;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;

/// A unit with 8 MiB of memory, one device, and a worker that works when told to. Register offsets
/// and bits are written here again, from the specification.
final class VtdMachine implements AutoCloseable {
  static final int MEMORY_BYTES = 8 << 20;
  static final long TABLES = 0x20_0000;
  static final long QUEUE = 0x0F_0000;
  static final long STATUS = 0x0E_0000;
  static final RequesterId DEVICE = RequesterId.of(0, 5, 0);
  static final int DOMAIN = 7;

  static final int CAP = 0x08;
  static final int ECAP = 0x10;
  static final int GCMD = 0x18;
  static final int GSTS = 0x1C;
  static final int RTADDR = 0x20;
  static final int CCMD = 0x28;
  static final int FSTS = 0x34;
  static final int FECTL = 0x38;
  static final int FEDATA = 0x3C;
  static final int FEADDR = 0x40;
  static final int FEUADDR = 0x44;
  static final int IQH = 0x80;
  static final int IQT = 0x88;
  static final int IQA = 0x90;
  static final int ICS = 0x9C;
  static final int IECTL = 0xA0;
  static final int IEDATA = 0xA4;
  static final int IEADDR = 0xA8;
  static final int IEUADDR = 0xAC;
  static final int IQERCD = 0xB0;
  static final int IVA = 0x200;
  static final int IOTLB = 0x208;
  static final int FRCD = 0x400;

  static final long TE = 0x8000_0000L;
  static final long SRTP = 0x4000_0000L;
  static final long QIE = 0x0400_0000L;
  static final long BIT_63 = 1L << 63;

  final GuestMemory memory = new GuestMemory();
  final List<String> interrupts = new ArrayList<>();

  /// What those of [#interrupts] tell that are the unit's own.
  final List<InterruptSink.Event> events = new ArrayList<>();

  final Queue<Runnable> worker = new ArrayDeque<>();
  final VtdIommu iommu;
  final GuestTables tables;
  final DmaContext device;

  private int tail;

  VtdMachine() {
    this(VtdConfig.DEFAULT);
  }

  VtdMachine(VtdConfig config) {
    memory.addRam(0, RamRegion.allocate(MEMORY_BYTES));
    iommu =
        new VtdIommu(
            config,
            memory,
            new InterruptSink() {
              @Override
              public void send(long address, int data) {
                interrupts.add("%x:%x".formatted(address, data));
              }

              @Override
              public void sendEvent(Event event, long address, int data) {
                events.add(event);
                send(address, data);
              }
            },
            worker::add);
    tables = new GuestTables(memory, TABLES);
    device = attach(DEVICE);
  }

  /// One more device; an invalidation waits for its mappings for as long as it takes.
  DmaContext attach(RequesterId requester) {
    DmaContext context = DmaContext.behind(iommu, memory, requester);
    context.revocation(Revocation.never());
    return context;
  }

  long read32(long offset) {
    return iommu.readRegister(offset, 4);
  }

  long read64(long offset) {
    return iommu.readRegister(offset, 8);
  }

  void write32(long offset, long value) {
    iommu.writeRegister(offset, 4, value);
  }

  void write64(long offset, long value) {
    iommu.writeRegister(offset, 8, value);
  }

  /// Changes one field of GCMD as software does, keeping the levels of the others.
  void command(long set, long clear) {
    write32(GCMD, (read32(GSTS) & 0x96FF_FFFFL & ~clear) | set);
  }

  /// Translation on, by the tables of [#tables].
  VtdMachine enabled() {
    write64(RTADDR, tables.rootTable());
    command(SRTP, 0);
    command(TE, 0);
    assertThat(read32(GSTS) & (TE | SRTP)).isEqualTo(TE | SRTP);
    return this;
  }

  /// Queued invalidation on, with 256 descriptors.
  VtdMachine queued() {
    write32(IQT, 0);
    write64(IQA, QUEUE);
    command(QIE, 0);
    assertThat(read32(GSTS) & QIE).isEqualTo(QIE);
    tail = 0;
    return this;
  }

  /// Writes descriptors behind the tail and moves it over them.
  void submit(long... lowHigh) {
    for (int i = 0; i < lowHigh.length; i += 2) {
      tables.store(QUEUE + tail * 16L, lowHigh[i]);
      tables.store(QUEUE + tail * 16L + 8, lowHigh[i + 1]);
      tail = (tail + 1) % 256;
    }
    write32(IQT, tail * 16L);
  }

  /// Index of the descriptor that is fetched next.
  int head() {
    return (int) read64(IQH) / 16;
  }

  /// The low half of a wait descriptor with status write; the high half is the status address.
  static long waitLow(int data) {
    return ((long) data << 32) | 0x25;
  }

  /// What a wait descriptor has written to [#STATUS].
  int status() {
    return (int) tables.load(STATUS);
  }

  /// Lets the worker finish everything.
  void runWorker() {
    for (Runnable task = worker.poll(); task != null; task = worker.poll()) {
      task.run();
    }
  }

  Mapping mapping(long iova, long length) {
    MapResult result = device.map(iova, length, Access.READ_WRITE);
    assertThat(result).isInstanceOf(Mapping.class);
    return (Mapping) result;
  }

  /// Gives the memory back, once no mapping holds it.
  @Override
  public void close() {
    memory.remove(0, MEMORY_BYTES - 1, () -> {});
  }
}
