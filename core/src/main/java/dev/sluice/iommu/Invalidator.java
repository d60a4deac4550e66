package dev.sluice.iommu;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongFunction;

/// What one IOMMU has cached and who is using it; takes an invalidation from the guest's request to
/// the moment at which it may be reported as complete.
///
/// The protocol, in [#invalidate]:
/// 1. drop the cached translations and bindings; a walk under way can no longer insert its result;
/// 2. publish a new generation: a hold that is made from now on was made by the new tables;
/// 3. wait, without blocking, for the access sections that were open: they may have translated
///    before step 1;
/// 4. wait, without blocking, for the holds of earlier generations over the range, which the
///    sections of step 3 have registered by now;
/// 5. run the completion, once.
///
/// New accesses are neither refused nor waited for. Two invalidations over one hold both wait for
/// it and are both told.
public final class Invalidator {
  /// The most address spaces with a cache at a time. The guest picks the tags (VT-d: 65,536 domain
  /// ids) and a full cache has some 250 KB; beyond this the cache of a space that no requester is
  /// bound to is dropped, which an IOMMU may do at any time.
  public static final int MAX_SPACES = 256;

  private final List<Endpoint> endpoints = new CopyOnWriteArrayList<>();
  private final ConcurrentHashMap<Long, Iotlb> spaces = new ConcurrentHashMap<>();
  private final AtomicLong generation = new AtomicLong();
  private final DeadlineClock clock;
  private final LongFunction<Iotlb> newSpace;

  private final LongAdder drains = new LongAdder();
  private final LongAdder delayed = new LongAdder();
  private final LongAdder revocations = new LongAdder();
  private final AtomicLong longest = new AtomicLong();

  /// An invalidator with no endpoints.
  public Invalidator() {
    this(DeadlineClock.system());
  }

  /// With a clock of the caller's.
  public Invalidator(DeadlineClock clock) {
    this(clock, Iotlb::new);
  }

  /// With caches of another size.
  Invalidator(DeadlineClock clock, LongFunction<Iotlb> newSpace) {
    this.clock = clock;
    this.newSpace = newSpace;
  }

  DeadlineClock clock() {
    return clock;
  }

  /// Adds a requester. Its first access asks the model.
  public Endpoint attach(RequesterId requester) {
    Endpoint endpoint = new Endpoint(requester, this);
    endpoints.add(endpoint);
    return endpoint;
  }

  /// Removes a requester that begins no accesses any more; what it still holds is revoked.
  /// Invalidations go on waiting for what it has under way, such as the kernel's input and output.
  public void detach(Endpoint endpoint) {
    endpoint.unbindIf(_ -> true);
    endpoint.shutDown(() -> endpoints.remove(endpoint));
  }

  /// The requesters, in the order in which they were attached.
  public List<Endpoint> endpoints() {
    return List.copyOf(endpoints);
  }

  /// The cache of an address space; makes it if there is none. May drop the cache of a space that
  /// nobody is bound to.
  public Iotlb space(long tag) {
    Iotlb found = spaces.get(tag);
    if (found != null) {
      return found;
    }
    if (spaces.size() >= MAX_SPACES) {
      evictOne(tag);
    }
    return spaces.computeIfAbsent(tag, newSpace::apply);
  }

  private synchronized void evictOne(long wanted) {
    if (spaces.size() < MAX_SPACES) {
      return;
    }
    for (Iotlb candidate : spaces.values()) {
      boolean bound = endpoints.stream().anyMatch(e -> e.space() == candidate);
      if (!bound && candidate.tag() != wanted) {
        evict(candidate);
        return;
      }
    }
  }

  /// Drops a cache and its place. A model may still have it at hand.
  void evict(Iotlb old) {
    // Empty for good while invalidations still find it: were its place gone first, one that came in
    // between would pass over what is still in the cache and in use.
    old.retire();
    spaces.remove(old.tag(), old);
    // Pairs with Endpoint.bind: it binds and then asks whether the cache is retired.
    endpoints.forEach(e -> e.unbindFrom(old));
  }

  long generation() {
    return generation.get();
  }

  /// Makes the IOMMU forget, and runs `completed` once when nothing obtained before over the range
  /// can touch memory any more: on this thread before the call returns when nothing was in flight,
  /// else on the thread that ends the last access. Blocks on nothing.
  ///
  /// @param completed makes the completion visible to the guest; short, and must not block. It may
  ///   begin another invalidation, which nests if it completes at once: who works through a queue
  ///   that a guest fills loops instead
  public void invalidate(Invalidation what, Runnable completed) {
    Objects.requireNonNull(completed);
    long began = clock.nanoTime();
    drop(what);
    // After the drop: a section that reads the new generation finds the caches already changed.
    long visible = generation.incrementAndGet();
    Drain drain = new Drain(() -> complete(began, completed));
    for (Endpoint endpoint : endpoints) {
      if (what.concerns(endpoint)) {
        drain.countUp();
        endpoint.awaitSections(() -> awaitHolds(endpoint, what, visible, drain));
      }
    }
    if (!drain.countDown()) {
      delayed.increment();
    }
  }

  /// The sections that were open are through, so what they made is registered.
  private static void awaitHolds(Endpoint endpoint, Invalidation what, long visible, Drain drain) {
    List<Hold> concerned = endpoint.holds().concerned(what, visible);
    concerned.forEach(hold -> hold.delay(drain));
    try {
      concerned.forEach(Hold::expire);
    } finally {
      // A deadline that cannot be set (a host out of threads) is no reason to wait for ever.
      drain.countDown();
    }
  }

  private void drop(Invalidation what) {
    if (what.translations()) {
      if (what.tagMask() == -1) {
        Iotlb one = spaces.get(what.tagValue());
        if (one != null) {
          one.drop(what.first(), what.last());
        }
      } else {
        for (Iotlb space : spaces.values()) {
          if (what.matches(space.tag())) {
            space.drop(what.first(), what.last());
          }
        }
      }
    }
    switch (what.binding()) {
      case NONE -> {}
      case ONE -> {
        Endpoint endpoint = what.endpoint();
        if (endpoint != null) {
          endpoint.unbindIf(_ -> true);
        }
      }
      case MATCHING -> {
        for (Endpoint endpoint : endpoints) {
          endpoint.unbindIf(what::matches);
        }
      }
    }
  }

  private void complete(long began, Runnable completed) {
    drains.increment();
    longest.accumulateAndGet(clock.nanoTime() - began, Math::max);
    Continuations.run(List.of(completed));
  }

  void countRevocation() {
    revocations.increment();
  }

  /// What has been drained so far.
  public Statistics statistics() {
    return new Statistics(drains.sum(), delayed.sum(), revocations.sum(), longest.get());
  }

  /// Counts since the start.
  ///
  /// @param drains invalidations completed
  /// @param delayed those of them that had to wait for an access
  /// @param revocations mappings taken away at a deadline, for the sake of an invalidation or of a
  ///   removal of memory
  /// @param longestNanos the longest time from an invalidation to its completion
  public record Statistics(long drains, long delayed, long revocations, long longestNanos) {}
}
