package dev.sluice.models.spapr;

import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Invalidation;
import dev.sluice.iommu.Invalidator;
import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.Iotlb;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Requesters;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.models.registers.ResetDrains;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The IOMMU of a pseries partition: all its TCE tables.
///
/// Its guest sees hypercalls ([#hypercall]) and RTAS calls ([#rtas]); its devices see [Iommu]. Any
/// thread may call anything here, and nothing blocks on a device: a call that has to wait for one
/// halts its [VirtualCpu].
///
/// ```
/// SpaprIommu iommu = new SpaprIommu(SpaprConfig.DEFAULT, memory);
/// PartitionableEndpoint bridge = iommu.addHostBridge(0);
/// iommu.attach(nvme, bridge);
/// DmaContext dma = DmaContext.behind(iommu, memory, nvme);
/// ```
public final class SpaprIommu implements Iommu {
  /// The most host bridges. Each has an IOTLB, and the [Invalidator] keeps 256 of those.
  public static final int MAX_HOST_BRIDGES = 256;

  /// The largest unit address of a VIO device: LIOBNs above it are those of host bridges.
  public static final long MAX_UNIT_ADDRESS = 0x7FFF_FFFFL;

  /// Registers that a hypercall may read, from R4 on.
  public static final int REGISTERS = 4;

  private final SpaprConfig config;
  private final GuestMemory memory;
  private final Invalidator invalidator = new Invalidator();
  private final ResetDrains resets = new ResetDrains(invalidator);
  private final SpaprCounters counters = new SpaprCounters();
  private final TceBudget budget;
  private final HaltedCalls halted = new HaltedCalls();
  private final TceHypercalls hypercalls;
  private final DmaWindows windows;
  private final WindowCalls windowCalls;
  private final DmaTranslation translation;
  private final TceFaultLog faults = new TceFaultLog();
  private final Map<RequesterId, DmaSpace> requesters = new ConcurrentHashMap<>();

  /// A partition without bridges or devices.
  ///
  /// @param memory guest-physical memory, LoPAR's logical real memory: what entries may lead to,
  ///   and where lists and argument buffers are
  public SpaprIommu(SpaprConfig config, GuestMemory memory) {
    this.config = config;
    this.memory = memory;
    budget = new TceBudget(config.tablePages());
    hypercalls = new TceHypercalls(config, memory, invalidator, halted, counters);
    windows = new DmaWindows(config, budget, hypercalls);
    windowCalls = new WindowCalls(config, windows, invalidator, halted, counters);
    translation = new DmaTranslation(invalidator, counters);
  }

  // --- the machine's side

  /// What it was made with.
  public SpaprConfig config() {
    return config;
  }

  /// Adds a host bridge with its default window.
  ///
  /// @param index 0 to 255; the default window's LIOBN is 0x80000000 + 256 * index, the bridge's
  ///   unit id 0x800000020000000 + index
  public PartitionableEndpoint addHostBridge(int index) {
    if (index < 0 || index >= MAX_HOST_BRIDGES) {
      throw new IllegalArgumentException("host bridges are numbered 0 to 255: " + index);
    }
    return windows.addHostBridge(index);
  }

  /// Adds a VIO device with its window, at bus address 0.
  ///
  /// @param unitAddress 1 to 0x7fffffff
  /// @param windowBytes a multiple of 4 KiB, up to 4 GiB
  public VioDevice addVioDevice(long unitAddress, long windowBytes) {
    if (unitAddress < 1 || unitAddress > MAX_UNIT_ADDRESS) {
      throw new IllegalArgumentException(
          "a unit address is 1 to 0x7fffffff: 0x%x".formatted(unitAddress));
    }
    if (windowBytes <= 0 || windowBytes > 1L << 32 || (windowBytes & 0xFFF) != 0) {
      throw new IllegalArgumentException(
          "a VIO window has 4 KiB to 4 GiB, in pages of 4 KiB: " + windowBytes);
    }
    return windows.addVioDevice(unitAddress, windowBytes);
  }

  /// Puts a function below a bridge. Before that, and after [#detach], its accesses are refused.
  ///
  /// @param requester as its DMA context has it. One model has one space of them: bridges that have
  ///   equal bus numbers need different ones here
  /// @throws IllegalStateException when it is attached already
  public void attach(RequesterId requester, PartitionableEndpoint bridge) {
    attach(requester, bridge.space());
  }

  /// Gives a VIO device its requester id, which VIO does not have; any that no function has.
  ///
  /// @throws IllegalStateException when it is attached already
  public void attach(RequesterId requester, VioDevice device) {
    attach(requester, device.space());
  }

  private void attach(RequesterId requester, DmaSpace space) {
    if (requesters.putIfAbsent(requester, space) != null) {
      throw new IllegalStateException(requester + " is attached already");
    }
  }

  /// Takes a requester off its bridge or device.
  ///
  /// @param drained runs once nothing that it obtained there can touch memory any more
  public void detach(RequesterId requester, Runnable drained) {
    requesters.remove(requester);
    invalidator.invalidate(Invalidation.ofBindings(Requesters.of(requester)), drained);
  }

  /// A reboot of the partition: default windows, all entries zero, no bypass. No processor is
  /// resumed for a call from before. While none is being dispatched.
  ///
  /// @param drained runs once nothing obtained before can touch memory any more; the new guest must
  ///   not begin earlier
  public void reset(Runnable drained) {
    halted.abandonAll();
    faults.clear();
    drain(windows.reset(), drained);
  }

  /// The end of the partition: every access is refused from now on, hypercalls find no window, and
  /// no processor is resumed. While no call is being dispatched.
  ///
  /// @param drained runs once nothing obtained before can touch memory any more
  public void close(Runnable drained) {
    halted.abandonAll();
    drain(windows.close(), drained);
  }

  private void drain(List<DmaWindows.Removal> removals, Runnable drained) {
    resets.begin(() -> {
      removals.forEach(removal -> removal.space().drainEnds());
      drained.run();
    });
  }

  /// A processor is reset, on its own or with the partition: if it is halted, the call it waits for
  /// is forgotten, it is not resumed, and nothing is written for it any more. What the call began
  /// goes on. A processor whose call is being dispatched is not reset before that has returned.
  public void reset(VirtualCpu cpu) {
    halted.abandon(cpu);
  }

  /// Processors that wait for a drain now.
  public int haltedProcessors() {
    return halted.count();
  }

  // --- the guest's side

  /// A hypercall.
  ///
  /// @param cpu who calls; not halted
  /// @param opcode R3, see [Hypercall]
  /// @param registers R4 to R7 at least; a result other than the return code is put there, from R4
  ///   on. Not read after the return
  /// @return the return code, see [ReturnCode]; or [ReturnCode#HALTED], and `cpu` is resumed with
  ///   the return code when it is due
  public long hypercall(VirtualCpu cpu, long opcode, long[] registers) {
    if (registers.length < REGISTERS) {
      throw new IllegalArgumentException(
          "a hypercall has R4 to R7, not %d registers".formatted(registers.length));
    }
    long returned = dispatch(cpu, opcode, registers);
    counters.called(opcode, returned);
    return returned;
  }

  private long dispatch(VirtualCpu cpu, long opcode, long[] r) {
    if (opcode == Hypercall.H_PUT_TCE) {
      return hypercalls.put(cpu, r[0], r[1], r[2]);
    }
    if (opcode == Hypercall.H_STUFF_TCE) {
      return hypercalls.stuff(cpu, r[0], r[1], r[2], r[3]);
    }
    if (opcode == Hypercall.H_PUT_TCE_INDIRECT) {
      return hypercalls.putIndirect(cpu, r[0], r[1], r[2], r[3]);
    }
    if (opcode == Hypercall.H_GET_TCE) {
      return hypercalls.get(r);
    }
    return opcode == Hypercall.H_RTAS ? rtas(cpu, r[0]) : ReturnCode.H_FUNCTION;
  }

  /// H_RTAS: an RTAS call by its argument buffer in guest memory.
  private long rtas(VirtualCpu cpu, long address) {
    RtasArguments arguments = RtasArguments.read(memory, address);
    if (arguments == null) {
      return ReturnCode.H_PARAMETER;
    }
    RtasFunction function = RtasFunction.of(arguments.token());
    if (function == null) {
      return WindowCalls.refuse(
          arguments.outputs(),
          () -> {
            arguments.store(memory);
            return ReturnCode.H_PARAMETER;
          });
    }
    return windowCalls.call(
        cpu,
        function,
        arguments.inputs(),
        arguments.outputs(),
        () -> arguments.store(memory) ? ReturnCode.H_SUCCESS : ReturnCode.H_PARAMETER);
  }

  /// An RTAS call, its cells already out of the argument buffer.
  ///
  /// @param cpu who calls; not halted
  /// @param inputs as many as the call has
  /// @param outputs as many as the call has, filled in when the call returns or the processor is
  ///   resumed
  /// @return [ReturnCode#H_SUCCESS] when `outputs` are filled in, whatever the status; or
  ///   [ReturnCode#HALTED]
  public long rtas(VirtualCpu cpu, RtasFunction function, int[] inputs, int[] outputs) {
    long returned = windowCalls.call(cpu, function, inputs, outputs, () -> ReturnCode.H_SUCCESS);
    counters.called(Hypercall.H_RTAS, returned);
    return returned;
  }

  /// The newest refused accesses, at most 64, the oldest first.
  public List<TceFault> faults() {
    return faults.faults();
  }

  // --- the devices' side

  @Override
  public Invalidator invalidator() {
    return invalidator;
  }

  @Override
  public Translation translate(Endpoint endpoint, long iova, Access access) {
    long bindTicket = endpoint.bindTicket();
    DmaSpace space = spaceOf(endpoint);
    return space == null
        ? TceFault.Cause.NO_ENDPOINT.fault()
        : translation.translate(endpoint, space, bindTicket, iova, access);
  }

  @Override
  public long walk(Endpoint endpoint, Iotlb cache, long iova, Access access) {
    DmaSpace space = spaceOf(endpoint);
    return space == null || space.tag() != cache.tag()
        ? Iotlb.MISS
        : translation.walk(endpoint, space, iova, access);
  }

  /// Where a requester's addresses lie, or null. There are no PASIDs here: a request with one is
  /// nobody's.
  private @Nullable DmaSpace spaceOf(Endpoint endpoint) {
    return endpoint.pasid() == Endpoint.NO_PASID ? requesters.get(endpoint.requester()) : null;
  }

  @Override
  public void report(Endpoint endpoint, long iova, Access access, Translation.Fault fault) {
    counters.faulted();
    faults.add(new TceFault(endpoint.requester(), iova, access, TceFault.Cause.of(fault.code())));
  }

  /// There are no interrupt messages among bus addresses here: a function's MSI goes to the address
  /// that firmware gave it, outside of all windows, and never comes to the IOMMU.
  @Override
  public void interrupt(Endpoint endpoint, long address, int data) {
    throw new IllegalStateException("no address is an interrupt message");
  }

  /// What the model has done so far.
  public SpaprStatistics statistics() {
    return counters.snapshot(budget.taken(), invalidator.statistics());
  }
}
