package dev.sluice.bench.jmh;

import dev.sluice.dma.DmaContext;
import dev.sluice.iommu.Invalidator;
import dev.sluice.memory.Access;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// What all threads of a row share: the machine, and which addresses are visited.
@State(Scope.Benchmark)
public class Bed {
  private static final long SMALL_PAGE = 4096;
  private static final long LARGE_PAGE = 2 << 20;
  private static final int FIRST_PASID = 0x100;

  /// How many pages the visits go round, a power of two up to 4096; up to 64 large ones.
  @Param("64")
  public int pages = 64;

  /// What kind of pages.
  @Param("SMALL")
  public PageKind kind = PageKind.SMALL;

  /// How many bytes an operation moves.
  @Param("64")
  public int bytes = 64;

  /// How many more devices of the domain have made an access and make none now.
  @Param("0")
  public int idleDevices;

  /// Whether several kinds of IOMMU have answered misses in this process before.
  @Param("false")
  public boolean severalKinds;

  /// Zero, which the compiler does not know: makes an address depend on the result before it.
  public long zero;

  /// Operations of a round.
  int operations;

  /// The addresses in their order.
  AddressStream stream = AddressStream.NONE;

  /// Addresses of which none is in an IOTLB when its turn comes, while the tables stay in the
  /// processor's caches.
  AddressStream missingStream = AddressStream.NONE;

  private final VtdMachine machine = new VtdMachine();
  private final LinearIommu wide = new LinearIommu(LinearIommu.WIDE);
  private final LinearIommu ofPasids = new LinearIommu(VtdMachine.SMALL);
  private int devices;

  /// Sets what the parameters decide, which are known by now, and wakes the idle devices once.
  @Setup
  public void prepare() {
    operations = Operations.ofRound(bytes);
    long unit = Math.max(bytes, kind == PageKind.LARGE ? LARGE_PAGE : SMALL_PAGE);
    long all = kind == PageKind.LARGE ? pages * LARGE_PAGE : pages * SMALL_PAGE;
    stream = AddressStream.of(firstAddress(), (int) Math.max(1, all / unit), unit);
    missingStream = AddressStream.aliased(VtdMachine.SMALL, pages, SMALL_PAGE, VtdMachine.ALIAS);
    if (severalKinds) {
      OtherKinds.answer(machine, wide);
    }
    for (int i = 0; i < idleDevices; i++) {
      DmaContext device = addDevice();
      Outcome.require(device.check(firstAddress(), 1, Access.READ));
    }
  }

  /// A device that visits the addresses of [#stream].
  synchronized DmaContext addDevice() {
    int number = devices++;
    return switch (kind) {
      case SMALL, LARGE -> machine.addDevice(number);
      case WIDE -> DmaContext.behind(wide, machine.memory(), VtdMachine.requester(number));
      case PASID ->
          DmaContext.behind(
              ofPasids, machine.memory(), VtdMachine.requester(number), FIRST_PASID + number);
      case DIRECT -> DmaContext.direct(machine.memory(), VtdMachine.requester(number));
    };
  }

  /// Has every small page in the IOTLB, whether visited or not.
  void cacheAllPages(DmaContext context) {
    for (int i = 0; i < VtdMachine.PAGES; i++) {
      Outcome.require(context.check(VtdMachine.SMALL + i * SMALL_PAGE, 1, Access.READ_WRITE));
    }
  }

  VtdMachine machine() {
    return machine;
  }

  Invalidator invalidator() {
    return machine.iommu().invalidator();
  }

  private long firstAddress() {
    return switch (kind) {
      case SMALL, PASID -> VtdMachine.SMALL;
      case LARGE -> VtdMachine.LARGE;
      case WIDE -> LinearIommu.WIDE;
      case DIRECT -> VtdMachine.RAM_PAGES;
    };
  }
}
