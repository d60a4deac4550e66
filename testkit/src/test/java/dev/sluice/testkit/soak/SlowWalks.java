package dev.sluice.testkit.soak;

import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Invalidation;
import dev.sluice.iommu.Invalidator;
import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.Iotlb;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.Access;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// The simplest IOMMU, whose walks dawdle: they lose the processor between what they read and what
/// they do with it, so that invalidations come in between as they seldom do in a quick one.
final class SlowWalks implements SoakIommu, Iommu {
  private static final int LARGE_ORDER = 9;

  /// One walk in so many dawdles.
  private static final int DAWDLES = 8;

  private record Key(int space, long page) {}

  private final Invalidator invalidator = new Invalidator();
  private final ConcurrentHashMap<RequesterId, Integer> bindings = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<Key, Translation.Page> pages = new ConcurrentHashMap<>();
  private final AtomicInteger walks = new AtomicInteger();

  // --- for devices

  @Override
  public Invalidator invalidator() {
    return invalidator;
  }

  @Override
  public Translation translate(Endpoint endpoint, long iova, Access access) {
    long bindTicket = endpoint.bindTicket();
    Integer space = bindings.get(endpoint.requester());
    if (space == null) {
      return refusal(AbortReason.BLOCKED);
    }
    Iotlb cache = invalidator.space(space, endpoint);
    long ticket = cache.ticket(iova);
    Translation.Page page = find(space, iova);
    dawdle();
    endpoint.bind(cache, bindTicket);
    if (page == null) {
      return refusal(AbortReason.NOT_MAPPED);
    }
    cache.insert(page, iova, ticket);
    return page.allows(access) ? page : refusal(AbortReason.NOT_MAPPED);
  }

  private static Translation.Fault refusal(AbortReason reason) {
    return new Translation.Fault(reason, 0, false);
  }

  private Translation.@Nullable Page find(int space, long iova) {
    Translation.Page page = pages.get(new Key(space, iova & -4096L));
    return page != null ? page : pages.get(new Key(space, (iova & -(4096L << LARGE_ORDER)) | 1));
  }

  private void dawdle() {
    if (walks.incrementAndGet() % DAWDLES == 0) {
      LockSupport.parkNanos(1);
    }
  }

  @Override
  public void report(Endpoint endpoint, long iova, Access access, Translation.Fault fault) {}

  @Override
  public void interrupt(Endpoint endpoint, long address, int data) {}

  // --- for guests

  @Override
  public Iommu iommu() {
    return this;
  }

  @Override
  public int largeOrder() {
    return LARGE_ORDER;
  }

  /// Large pages have a key of their own.
  private static Key key(int space, long iova, int order) {
    return new Key(space, order == 0 ? iova : iova | 1);
  }

  @Override
  public void map(int space, long iova, long address, int order, Access rights) {
    Translation.Page page =
        new Translation.Page(iova, address, 12 + order, rights.reads(), rights.writes(), space);
    pages.put(key(space, iova, order), page);
  }

  @Override
  public void unmap(int space, long iova, int order) {
    pages.remove(key(space, iova, order));
  }

  @Override
  public void bind(RequesterId requester, int space) {
    bindings.put(requester, space);
  }

  @Override
  public void unbind(RequesterId requester) {
    bindings.remove(requester);
  }

  @Override
  public void invalidate(int guest, List<Scope> scopes, Waiting waiting) {
    AtomicInteger left = new AtomicInteger(scopes.size());
    scopes.forEach(scope -> invalidate(scope, left::decrementAndGet));
    waiting.until(() -> left.get() == 0, "completion of " + scopes);
  }

  private void invalidate(Scope scope, Runnable completed) {
    switch (scope) {
      case Scope.Pages(int space, long iova, int order) ->
          invalidator.invalidate(space, iova, iova + (4096L << order) - 1, completed);
      case Scope.Space(int space) -> invalidator.invalidate(Invalidation.ofSpace(space), completed);
      case Scope.Everything() -> invalidator.invalidate(Invalidation.ofTranslations(), completed);
      case Scope.Binding(RequesterId requester, int _) ->
          invalidator.invalidate(Invalidation.ofBinding(endpoint(requester)), completed);
    }
  }

  private Endpoint endpoint(RequesterId requester) {
    return invalidator.endpoints().stream()
        .filter(endpoint -> endpoint.requester().equals(requester))
        .findFirst()
        .orElseThrow();
  }

  @Override
  public void close() {}
}
