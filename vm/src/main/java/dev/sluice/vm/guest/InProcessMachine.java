package dev.sluice.vm.guest;

import dev.sluice.dma.DmaContext;
import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import dev.sluice.models.vtd.VtdIommu;
import dev.sluice.pci.Bar;
import dev.sluice.pci.BarHandler;
import dev.sluice.pci.FunctionHost;
import dev.sluice.pci.Interrupts;
import dev.sluice.pci.MsixCapability;
import dev.sluice.pci.MsixInterrupts;
import dev.sluice.pci.PciFunction;
import dev.sluice.vm.guest.machine.Bus;
import dev.sluice.vm.guest.machine.Hardware;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A machine without a VMM: RAM, an IOMMU at a fixed address, and PCI functions on bus 0, joined in
/// this process. What vfio-user and QEMU are to a Linux guest, this is to the [InProcessGuest].
///
/// Plug the IOMMU first, then the functions; each is behind the IOMMU that is there by then. The
/// registers are for one thread at a time, the guest's; functions use memory and interrupts from
/// their own.
public final class InProcessMachine implements Hardware, AutoCloseable {
  /// Where the IOMMU's registers are: where chipsets have them.
  public static final long IOMMU_REGISTERS = 0xFED9_0000L;

  /// Bytes of the IOMMU's registers.
  public static final long IOMMU_REGISTER_BYTES = 0x1000;

  /// RAM ends before the addresses that BARs are given.
  private static final long MOST_RAM = 0xE000_0000L;

  private static final long UNPLUG_SECONDS = 30;
  private static final int COMMAND = 4;
  private static final int COMMAND_MEMORY = 2;

  private final GuestMemory memory = new GuestMemory();
  private final long ramBytes;
  private final Map<RequesterId, Plugged> functions =
      new TreeMap<>((a, b) -> Integer.compare(a.value(), b.value()));
  private final Bus bus = new PlatformBus();
  private @Nullable Iommu iommu;
  private @Nullable BarHandler iommuRegisters;
  private byte @Nullable [] dmarTable;
  private volatile MessageSink interrupts = (_, _) -> {};

  private record Plugged(PciFunction function, DmaContext dma) {}

  /// A machine with RAM and nothing else.
  ///
  /// @param ramBytes a multiple of 4096, up to 3.5 GiB
  public InProcessMachine(long ramBytes) {
    if (ramBytes <= 0 || ramBytes > MOST_RAM || ramBytes % GuestMemory.PAGE != 0) {
      throw new IllegalArgumentException("RAM of " + ramBytes + " bytes");
    }
    this.ramBytes = ramBytes;
    memory.addRam(0, RamRegion.allocate(ramBytes));
  }

  /// Puts a VT-d before the functions that are plugged from now on.
  ///
  /// @param vtd made with this machine's [#memory()] and with [#message] as its sink
  /// @param firmwareTable the DMAR table without its ACPI header; its register base is
  ///   [#IOMMU_REGISTERS]
  /// @throws IllegalStateException if there is an IOMMU already
  public void plugVtd(VtdIommu vtd, byte[] firmwareTable) {
    plugIommu(vtd, new VtdRegisterPage(vtd), firmwareTable);
  }

  /// Puts an IOMMU before the functions that are plugged from now on.
  ///
  /// @param model translates their requests
  /// @param registers its registers, which appear at [#IOMMU_REGISTERS]
  /// @param firmwareTable the DMAR table without its ACPI header, as firmware would provide it
  /// @throws IllegalStateException if there is one already
  public void plugIommu(Iommu model, BarHandler registers, byte[] firmwareTable) {
    if (iommu != null) {
      throw new IllegalStateException("there is an IOMMU already");
    }
    iommu = model;
    iommuRegisters = registers;
    dmarTable = firmwareTable.clone();
  }

  /// Plugs a function into bus 0.
  ///
  /// @param slot its place, and the requester id of its DMA
  /// @throws IllegalStateException if the place is taken
  public void plug(RequesterId slot, PciFunction function) {
    if (slot.bus() != 0 || functions.containsKey(slot)) {
      throw new IllegalStateException("no free slot " + slot + " on bus 0");
    }
    DmaContext dma =
        iommu == null ? DmaContext.direct(memory, slot) : DmaContext.behind(iommu, memory, slot);
    Interrupts delivery =
        function
            .config()
            .capability(MsixCapability.class)
            .<Interrupts>map(msix -> new MsixInterrupts(msix, this::message))
            .orElseGet(NoInterrupts::new);
    functions.put(slot, new Plugged(function, dma));
    function.connect(FunctionHost.of(dma, delivery));
  }

  /// For a function without message interrupts: there is no interrupt pin here.
  private static final class NoInterrupts implements Interrupts {
    @Override
    public void signal(int vector) {}

    @Override
    public void pin(boolean asserted) {}
  }

  /// A message interrupt of an IOMMU or a function: what to give an IOMMU model as its sink.
  public void message(long address, int data) {
    interrupts.message(address, data);
  }

  @Override
  public Bus bus() {
    return bus;
  }

  @Override
  public GuestMemory memory() {
    return memory;
  }

  @Override
  public long ramBytes() {
    return ramBytes;
  }

  @Override
  public Optional<byte[]> dmarTable() {
    return Optional.ofNullable(dmarTable).map(byte[]::clone);
  }

  @Override
  public void interruptsTo(MessageSink sink) {
    interrupts = sink;
  }

  /// The DMA context of a function.
  public Optional<DmaContext> dma(RequesterId slot) {
    return Optional.ofNullable(functions.get(slot)).map(Plugged::dma);
  }

  /// Takes every function out, waits until none uses memory any more, and frees the RAM. The
  /// functions themselves stay open.
  ///
  /// @throws IllegalStateException if a function still uses memory after 30 s
  @Override
  public void close() {
    CountDownLatch ended = new CountDownLatch(functions.size());
    functions.values().forEach(plugged -> plugged.function().disconnect(ended::countDown));
    if (!awaitUninterruptibly(ended)) {
      throw new IllegalStateException(
          "a function still uses memory %d s after it was unplugged".formatted(UNPLUG_SECONDS));
    }
    functions.values().forEach(plugged -> plugged.dma().close());
    functions.clear();
    memory.remove(0, ramBytes - 1, () -> {});
  }

  /// Somebody who is in a hurry interrupts this thread so that it closes the machine: all the more
  /// reason to do it.
  private static boolean awaitUninterruptibly(CountDownLatch ended) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(UNPLUG_SECONDS);
    boolean interrupted = false;
    try {
      for (; ; ) {
        try {
          return ended.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException _) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /// Decodes addresses: the IOMMU's window, then the memory BARs of functions that answer.
  private final class PlatformBus implements Bus {
    @Override
    public long read(long address, int size) {
      Target target = find(address, size);
      return target == null ? ones(size) : target.handler().read(target.offset(), size);
    }

    @Override
    public void write(long address, int size, long value) {
      Target target = find(address, size);
      if (target != null) {
        target.handler().write(target.offset(), size, value);
      }
    }

    @Override
    public long readConfig(RequesterId function, int offset, int size) {
      Plugged plugged = functions.get(function);
      return plugged == null ? ones(size) : plugged.function().config().read(offset, size);
    }

    @Override
    public void writeConfig(RequesterId function, int offset, int size, long value) {
      Plugged plugged = functions.get(function);
      if (plugged != null) {
        plugged.function().config().write(offset, size, value);
      }
    }

    private @Nullable Target find(long address, int size) {
      if (iommuRegisters != null && within(address, size, IOMMU_REGISTERS, IOMMU_REGISTER_BYTES)) {
        return new Target(iommuRegisters, address - IOMMU_REGISTERS);
      }
      for (Plugged plugged : functions.values()) {
        var config = plugged.function().config();
        if ((config.read(COMMAND, 2) & COMMAND_MEMORY) == 0) {
          continue;
        }
        for (Bar bar : config.bars()) {
          long base = config.address(bar);
          if (bar.kind() != Bar.Kind.IO && base != 0 && within(address, size, base, bar.size())) {
            return new Target(bar.handler(), address - base);
          }
        }
      }
      return null;
    }

    private static boolean within(long address, int size, long base, long length) {
      return address >= base && address <= base + length - size;
    }

    private static long ones(int size) {
      return -1L >>> (Long.SIZE - Byte.SIZE * size);
    }
  }

  private record Target(BarHandler handler, long offset) {}
}
