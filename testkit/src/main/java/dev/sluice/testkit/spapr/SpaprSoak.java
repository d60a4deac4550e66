package dev.sluice.testkit.spapr;

import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;
import dev.sluice.models.spapr.Hypercall;
import dev.sluice.models.spapr.PartitionableEndpoint;
import dev.sluice.models.spapr.ReturnCode;
import dev.sluice.models.spapr.RtasFunction;
import dev.sluice.models.spapr.SpaprConfig;
import dev.sluice.models.spapr.SpaprIommu;
import dev.sluice.models.spapr.VirtualCpu;
import dev.sluice.testkit.soak.Scope;
import dev.sluice.testkit.soak.SoakIommu;
import dev.sluice.testkit.soak.SoakMemory;
import dev.sluice.testkit.soak.Waiting;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// TCE tables under soak: a host bridge for each address space, with one window that takes in all
/// addresses of the soak.
///
/// A hypercall changes a table and drains what it takes away, in one: so the calls are made where
/// the soak changes its tables, each by a processor of its own, and an invalidation waits for those
/// processors over its range that are halted still.
public final class SpaprSoak implements SoakIommu {
  private static final int PAGE_SHIFT = 12;
  private static final int WINDOW_SHIFT = 49;
  private static final int LARGE_ORDER = 5;

  private final SoakMemory memory;
  private final SpaprIommu iommu;

  /// A page for the lists of H_PUT_TCE_INDIRECT; its contents are guarded by `calls`.
  private final long list;

  private final ConcurrentHashMap<Integer, PartitionableEndpoint> bridges =
      new ConcurrentHashMap<>();

  /// The address space of each requester that has one.
  private final ConcurrentHashMap<RequesterId, Integer> bound = new ConcurrentHashMap<>();

  /// Calls and detachments that are not over.
  private final Set<Call> calls = ConcurrentHashMap.newKeySet();

  /// A processor for one call; or what waits for the end of a detachment.
  private final class Call implements VirtualCpu {
    private final int space;
    private final long first;
    private final long last;

    Call(int space, long first, long last) {
      this.space = space;
      this.first = first;
      this.last = last;
      calls.add(this);
    }

    boolean concerns(Scope scope) {
      return switch (scope) {
        case Scope.Pages(int of, long iova, int order) ->
            of == space && first <= lastOf(iova, order) && iova <= last;
        case Scope.Space(int of) -> of == space;
        case Scope.Everything _ -> true;
        case Scope.Binding(RequesterId _, int of) -> of == space;
      };
    }

    void make(long opcode, long... arguments) {
      long[] registers = new long[SpaprIommu.REGISTERS];
      System.arraycopy(arguments, 0, registers, 0, arguments.length);
      long returned = iommu.hypercall(this, opcode, registers);
      if (returned != ReturnCode.HALTED) {
        resume(returned);
      }
    }

    @Override
    public void halt() {}

    @Override
    public void resume(long returnCode) {
      if (returnCode != ReturnCode.H_SUCCESS) {
        throw new IllegalStateException("a hypercall returned " + returnCode);
      }
      over();
    }

    void over() {
      calls.remove(this);
    }
  }

  /// A partition without devices.
  public SpaprSoak(SoakMemory memory) {
    this.memory = memory;
    list = memory.table(4096);
    SpaprConfig config = SpaprConfig.DEFAULT.withLargestWindow(1L << (WINDOW_SHIFT - PAGE_SHIFT));
    iommu = new SpaprIommu(config, memory.physical());
  }

  @Override
  public Iommu iommu() {
    return iommu;
  }

  @Override
  public int largeOrder() {
    return LARGE_ORDER;
  }

  private PartitionableEndpoint bridge(int space) {
    return bridges.computeIfAbsent(space, this::addBridge);
  }

  private PartitionableEndpoint addBridge(int space) {
    PartitionableEndpoint bridge = iommu.addHostBridge(space);
    long unit = bridge.unitId();
    rtas(RtasFunction.REMOVE_PE_DMA_WINDOW, new int[] {(int) liobn(bridge)}, new int[1]);
    int[] created = new int[4];
    rtas(
        RtasFunction.CREATE_PE_DMA_WINDOW,
        new int[] {0, (int) (unit >>> 32), (int) unit, PAGE_SHIFT, WINDOW_SHIFT},
        created);
    if (created[2] != 0 || created[3] != 0) {
      throw new IllegalStateException("the window does not begin at bus address 0");
    }
    return bridge;
  }

  private void rtas(RtasFunction function, int[] inputs, int[] outputs) {
    Call call = new Call(-1, 0, 0);
    if (iommu.rtas(call, function, inputs, outputs) != ReturnCode.H_SUCCESS || outputs[0] != 0) {
      throw new IllegalStateException(function + " failed with " + outputs[0]);
    }
    call.over();
  }

  private static long liobn(PartitionableEndpoint bridge) {
    return bridge.windows().getLast().liobn();
  }

  private static long lastOf(long iova, int order) {
    return iova + (1L << (order + PAGE_SHIFT)) - 1;
  }

  @Override
  public void map(int space, long iova, long address, int order, Access rights) {
    long liobn = liobn(bridge(space));
    Call call = new Call(space, iova, lastOf(iova, order));
    if (order == 0) {
      call.make(Hypercall.H_PUT_TCE, liobn, iova, address | rights.rights());
      return;
    }
    synchronized (calls) {
      for (int i = 0; i < 1 << order; i++) {
        memory.store(list + i * 8L, Long.reverseBytes(address + i * 4096L | rights.rights()));
      }
      call.make(Hypercall.H_PUT_TCE_INDIRECT, liobn, iova, list, 1L << order);
    }
  }

  @Override
  public void unmap(int space, long iova, int order) {
    Call call = new Call(space, iova, lastOf(iova, order));
    call.make(Hypercall.H_STUFF_TCE, liobn(bridge(space)), iova, 0, 1L << order);
  }

  @Override
  public void bind(RequesterId requester, int space) {
    iommu.attach(requester, bridge(space));
    bound.put(requester, space);
  }

  @Override
  public void unbind(RequesterId requester) {
    Integer space = bound.remove(requester);
    if (space == null) {
      throw new IllegalStateException(requester + " has no address space");
    }
    Call call = new Call(space, 0, Long.MAX_VALUE);
    iommu.detach(requester, call::over);
  }

  @Override
  public void invalidate(int guest, List<Scope> scopes, Waiting waiting) {
    for (Call call : calls) {
      for (Scope scope : scopes) {
        if (call.concerns(scope)) {
          waiting.until(() -> !calls.contains(call), "end of a hypercall over " + scope);
        }
      }
    }
  }

  @Override
  public void close() {
    iommu.close(() -> {});
  }
}
