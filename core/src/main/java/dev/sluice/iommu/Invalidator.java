package dev.sluice.iommu;

import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import dev.sluice.memory.RemovalListener;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/// What one IOMMU has cached and who is using it; takes an invalidation from the guest's request to
/// the moment at which it may be reported as complete.
///
/// The protocol, in [#invalidate]:
/// 1. count: a walk that reads the count from now on reads the new tables;
/// 2. drop the cached translations and bindings; a walk that began before can no longer insert its
///    result;
/// 3. count again: an access that reads this count finds the caches changed, and one that read
///    guest memory without a section finds that it was overtaken;
/// 4. wait, without blocking, for the access sections that are open over the range: they may have
///    translated before step 2;
/// 5. wait, without blocking, for the leases and holds over the range that were taken under an
///    earlier count, which the sections of step 4 have registered by now;
/// 6. wait, without blocking, for the sections that are open over the range now, for one may be a
///    use of a mapping that another thread has just closed; and then for the holds that such a use
///    has made for the kernel's input and output;
/// 7. run the completion, once.
///
/// New accesses are not refused, and not waited for except by step 6, once. Two invalidations over
/// one hold both wait for it and are both told. When nothing is under way, all of it costs two
/// atomic additions and a look at each endpoint.
public final class Invalidator {
  /// The most address spaces with a cache at a time. The guest picks the tags (VT-d: 65,536 domain
  /// ids) and a cache has 32 KB or more; beyond this the cache of a space that no requester is
  /// bound to is dropped, which an IOMMU may do at any time.
  public static final int MAX_SPACES = 256;

  private final InvalidationCount count = new InvalidationCount();
  private final DeadlineClock clock;
  private final int slots;

  /// Changed under this, read without.
  private volatile Endpoint[] endpoints = new Endpoint[0];

  /// Of all endpoints. Changed under this, read without.
  private volatile AccessSection[] sections = new AccessSection[0];

  /// Of all endpoints.
  private final AtomicInteger holdCount = new AtomicInteger();

  /// Changed under this, read without.
  private volatile Spaces spaces = Spaces.NONE;

  /// The memories that endpoints access, with what listens to their removals; guarded by this.
  private final Map<GuestMemory, RemovalListener> memories = new HashMap<>();

  private final AtomicLong pending = new AtomicLong();

  /// How often memory was removed, which counts like an invalidation.
  private final AtomicLong removals = new AtomicLong();

  private final LongAdder delayed = new LongAdder();
  private final LongAdder revocations = new LongAdder();
  private final AtomicLong longest = new AtomicLong();

  /// An invalidator with no endpoints.
  public Invalidator() {
    this(DeadlineClock.system());
  }

  /// With a clock of the caller's.
  public Invalidator(DeadlineClock clock) {
    this(clock, Iotlb.SLOTS);
  }

  /// With caches of another number of slots, a power of two.
  Invalidator(DeadlineClock clock, int slots) {
    this.clock = clock;
    this.slots = slots;
  }

  DeadlineClock clock() {
    return clock;
  }

  InvalidationCount count() {
    return count;
  }

  AtomicInteger holdCount() {
    return holdCount;
  }

  // --- endpoints

  /// Adds a requester. Its first access asks the model.
  ///
  /// @param memory the guest-physical memory that its accesses go to
  public Endpoint attach(RequesterId requester, GuestMemory memory) {
    return attach(requester, Endpoint.NO_PASID, memory);
  }

  /// Adds a requester whose requests carry a PASID.
  ///
  /// @param pasid 0 to [Endpoint#MAX_PASID], or [Endpoint#NO_PASID]
  /// @param memory the guest-physical memory that its accesses go to
  public synchronized Endpoint attach(RequesterId requester, int pasid, GuestMemory memory) {
    Endpoint endpoint = new Endpoint(requester, pasid, memory, this);
    endpoints = Arrays.copyOf(endpoints, endpoints.length + 1);
    endpoints[endpoints.length - 1] = endpoint;
    memories.computeIfAbsent(memory, this::listenTo);
    return endpoint;
  }

  private RemovalListener listenTo(GuestMemory memory) {
    RemovalListener listener = (region, letGo) -> removing(memory, region, letGo);
    memory.addRemovalListener(listener);
    return listener;
  }

  /// Removes a requester that begins no accesses any more; what it still holds is revoked.
  /// Invalidations go on waiting for what it has under way, such as the kernel's input and output.
  public void detach(Endpoint endpoint) {
    endpoint.unbindIf(_ -> true);
    endpoint.shutDown(() -> remove(endpoint));
  }

  private void remove(Endpoint endpoint) {
    GuestMemory memory = endpoint.memory();
    synchronized (this) {
      endpoints =
          Arrays.stream(endpoints).filter(other -> other != endpoint).toArray(Endpoint[]::new);
      sectionsChanged();
      if (Arrays.stream(endpoints).anyMatch(other -> other.memory() == memory)) {
        return;
      }
      // Nobody is left who could tell when a region's number goes to another. So an endpoint that
      // is attached later must not find these caches.
      for (Iotlb space : spaces.all()) {
        if (space.memory() == memory) {
          space.retire();
        }
      }
      RemovalListener listener = memories.remove(memory);
      if (listener != null) {
        memory.removeRemovalListener(listener);
      }
    }
    for (Iotlb space : spaces.all()) {
      if (space.memory() == memory && space.isRetired()) {
        retire(space);
      }
    }
  }

  /// Some thread uses some endpoint for the first time, or no more.
  synchronized void sectionsChanged() {
    sections =
        Arrays.stream(endpoints)
            .flatMap(endpoint -> Arrays.stream(endpoint.sections()))
            .toArray(AccessSection[]::new);
  }

  /// The requesters, in the order in which they were attached.
  public List<Endpoint> endpoints() {
    return List.of(endpoints);
  }

  // --- caches

  /// The cache of an address space, as the endpoint's accesses find it; makes it if there is none.
  /// May drop the cache of a space that nobody is bound to.
  public Iotlb space(long tag, Endpoint endpoint) {
    Iotlb found = spaces.find(tag, endpoint.memory());
    return found != null && !found.isRetired() ? found : add(tag, endpoint.memory());
  }

  private Iotlb add(long tag, GuestMemory memory) {
    Iotlb made = new Iotlb(tag, memory, count, slots);
    if (spaces.size() >= MAX_SPACES) {
      makeRoom();
    }
    synchronized (this) {
      Iotlb found = spaces.find(tag, memory);
      if (found != null && !found.isRetired()) {
        return found;
      }
      if (found != null || spaces.size() >= MAX_SPACES) {
        // An access that is under way keeps the place taken: this one is made without a cache.
        made.retire();
        return made;
      }
      spaces = spaces.with(made);
    }
    // Before the ticket of the first walk: an invalidation that has not seen the new cache has
    // counted by then.
    VarHandle.fullFence();
    return made;
  }

  /// Drops the cache of a space that nobody is bound to, if there is one.
  private void makeRoom() {
    for (Iotlb candidate : spaces.all()) {
      if (!candidate.isRetired()
          && Arrays.stream(endpoints).noneMatch(user -> user.space() == candidate)) {
        retire(candidate);
        return;
      }
    }
  }

  /// Drops a cache. Its place goes when no access has it at hand any more: until then invalidations
  /// find it. Not under a lock, as it may run completions.
  void retire(Iotlb old) {
    old.retire();
    for (Endpoint endpoint : endpoints) {
      endpoint.unbindFrom(old);
    }
    Endpoint[] users = endpoints;
    Drain.start(
        drain -> {
          for (Endpoint endpoint : users) {
            endpoint.awaitSections(0, 0, 0, -1, drain);
          }
        },
        () -> remove(old));
  }

  private synchronized void remove(Iotlb old) {
    spaces = spaces.without(old);
  }

  // --- invalidations

  /// Makes the IOMMU forget the translations of one address space over a range; otherwise as the
  /// general form, and without allocating anything when nothing is under way.
  ///
  /// @param first first I/O virtual address, unsigned
  /// @param last last I/O virtual address, inclusive
  public void invalidate(long tag, long first, long last, Runnable completed) {
    if (Long.compareUnsigned(first, last) > 0) {
      throw new IllegalArgumentException(
          "empty range: first 0x%x, last 0x%x".formatted(first, last));
    }
    long before;
    long number = count.begin();
    try {
      Spaces now = spaces;
      for (int place = now.place(tag); ; place = now.next(place)) {
        Iotlb space = now.at(place);
        if (space == null) {
          break;
        }
        if (space.tag() == tag) {
          space.drop(first, last, number);
        }
      }
    } finally {
      before = count.end();
    }
    finish(-1, tag, first, last, null, before, completed);
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
    long before;
    long number = count.begin();
    try {
      drop(what, number);
    } finally {
      before = count.end();
    }
    finish(
        what.tagMask(),
        what.tagValue(),
        what.first(),
        what.last(),
        what.requesters(),
        before,
        completed);
  }

  /// Invalidates one after the other, otherwise as the general form: `completed` runs once, when
  /// all of them are complete.
  public void invalidate(List<Invalidation> what, Runnable completed) {
    Objects.requireNonNull(completed);
    // One more for the call itself, so that it is not over before the last has begun.
    AtomicInteger left = new AtomicInteger(what.size() + 1);
    Runnable one =
        () -> {
          if (left.decrementAndGet() == 0) {
            completed.run();
          }
        };
    what.forEach(each -> invalidate(each, one));
    one.run();
  }

  /// Makes the IOMMU forget and waits for nobody: what is under way goes on. For who asks for the
  /// same again before the first is complete, and need not be told twice.
  public void forget(Invalidation what) {
    long number = count.begin();
    try {
      drop(what, number);
    } finally {
      count.end();
    }
  }

  private void drop(Invalidation what, long number) {
    if (what.translations()) {
      for (Iotlb space : spaces.all()) {
        if (what.matches(space.tag())) {
          space.drop(what.first(), what.last(), number);
        }
      }
    }
    switch (what.binding()) {
      case NONE -> {}
      case NAMED -> {
        for (Endpoint endpoint : endpointsOf(what.requesters())) {
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

  /// From the moment at which the caches are as the guest wants them.
  ///
  /// @param only whose accesses alone are meant, or null for everybody's
  /// @param before the count at the end of the changes: what was taken under an earlier one is
  ///   meant
  private void finish(
      long tagMask,
      long tagValue,
      long first,
      long last,
      @Nullable Requesters only,
      long before,
      Runnable completed) {
    if (isQuiet(only, tagMask, tagValue, first, last, before)) {
      Continuations.run(completed);
    } else {
      drain(
          new PageLeases.Query(tagMask, tagValue, first, last, before, -1),
          endpointsOf(only),
          completed);
    }
  }

  /// Whether nothing is under way that has to be waited for, at least after a short wait of about a
  /// microsecond. Allocates nothing then.
  ///
  /// @param before the count at the end of the invalidation's changes
  private boolean isQuiet(
      @Nullable Requesters only, long tagMask, long tagValue, long first, long last, long before) {
    boolean leased = false;
    boolean leases = false;
    AccessSection[] looked = sectionsOf(only);
    for (AccessSection section : looked) {
      if (!section.endsSoon(tagMask, tagValue, first, last)) {
        return false;
      }
      leased |= section.hadLeases();
      leases |= section.mayHaveLeases();
    }
    if (leases && hasLeases(looked, tagMask, tagValue, first, last, before)) {
      return false;
    }
    if (leased) {
      // A lease may have ended between the two looks, with another thread, perhaps a new one, still
      // in its use.
      for (AccessSection section : sectionsOf(only)) {
        if (!section.endsSoon(tagMask, tagValue, first, last)) {
          return false;
        }
      }
    }
    // That use may have made a hold.
    return holdCount.get() == 0 || !hasHolds(only, tagMask, tagValue, first, last, before);
  }

  private boolean hasHolds(
      @Nullable Requesters only, long tagMask, long tagValue, long first, long last, long before) {
    var what = new PageLeases.Query(tagMask, tagValue, first, last, before, -1);
    for (Endpoint user : endpoints) {
      if ((only == null || only.contains(user)) && user.holds().hasAny(what)) {
        return true;
      }
    }
    return false;
  }

  /// @param only who is meant, or null for everybody
  private Endpoint[] endpointsOf(@Nullable Requesters only) {
    return only == null
        ? endpoints
        : Arrays.stream(endpoints).filter(only::contains).toArray(Endpoint[]::new);
  }

  private AccessSection[] sectionsOf(@Nullable Requesters only) {
    return only == null
        ? sections
        : Arrays.stream(endpointsOf(only))
            .flatMap(endpoint -> Arrays.stream(endpoint.sections()))
            .toArray(AccessSection[]::new);
  }

  private static boolean hasLeases(
      AccessSection[] looked, long tagMask, long tagValue, long first, long last, long before) {
    var what = new PageLeases.Query(tagMask, tagValue, first, last, before, -1);
    for (AccessSection section : looked) {
      if (section.mayHaveLeases() && section.leases().hasAny(what)) {
        return true;
      }
    }
    return false;
  }

  /// Steps 4 to 7, when something is in the way.
  private void drain(PageLeases.Query what, Endpoint[] users, Runnable completed) {
    long began = clock.nanoTime();
    pending.incrementAndGet();
    AtomicBoolean done = new AtomicBoolean();
    Runnable last =
        () -> {
          done.set(true);
          pending.decrementAndGet();
          longest.accumulateAndGet(clock.nanoTime() - began, Math::max);
          Continuations.run(completed);
        };
    Runnable lastHolds = () -> Drain.start(drain -> awaitHolds(what, users, drain), last);
    Runnable lastUses =
        () ->
            Drain.start(
                drain ->
                    awaitSections(
                        what,
                        Arrays.stream(users)
                            .filter(Endpoint::mayUseLeases)
                            .toArray(Endpoint[]::new),
                        drain),
                lastHolds);
    Runnable uses =
        () ->
            Drain.start(
                drain -> {
                  awaitHolds(what, users, drain);
                  awaitLeases(what, users, drain);
                },
                lastUses);
    Drain.start(drain -> awaitSections(what, users, drain), uses);
    if (!done.get()) {
      delayed.increment();
    }
  }

  private static void awaitSections(PageLeases.Query what, Endpoint[] users, Drain drain) {
    for (Endpoint user : users) {
      user.awaitSections(what.tagMask(), what.tagValue(), what.first(), what.last(), drain);
    }
  }

  private static void awaitHolds(PageLeases.Query what, Endpoint[] users, Drain drain) {
    for (Endpoint user : users) {
      List<Hold> holds = user.holds().concerned(what);
      holds.forEach(hold -> hold.delay(drain));
      holds.forEach(Hold::expire);
    }
  }

  private static void awaitLeases(PageLeases.Query what, Endpoint[] users, Drain drain) {
    for (Endpoint user : users) {
      user.awaitLeases(what, drain);
    }
  }

  /// A region leaves the memory of some endpoints: nothing cached may lead to it any more, and
  /// those who use it have to let go.
  private void removing(GuestMemory memory, RamRegion region, Runnable letGo) {
    long number = count.begin();
    try {
      for (Iotlb space : spaces.all()) {
        if (space.memory() == memory) {
          space.drop(0, -1, number);
        }
      }
    } finally {
      count.end();
    }
    removals.incrementAndGet();
    Endpoint[] users =
        Arrays.stream(endpoints).filter(user -> user.memory() == memory).toArray(Endpoint[]::new);
    Drain.start(
        drain -> {
          for (Endpoint user : users) {
            drain.countUp();
            user.surrender(region, drain::countDown);
          }
        },
        letGo);
  }

  void countRevocation() {
    revocations.increment();
  }

  /// What has been drained so far.
  public Statistics statistics() {
    return new Statistics(
        count.getVolatile() / 2 - removals.get() - pending.get(),
        delayed.sum(),
        revocations.sum(),
        longest.get());
  }

  /// Counts since the start.
  ///
  /// @param drains invalidations completed
  /// @param delayed those of them that had to wait for an access
  /// @param revocations mappings taken away at a deadline, for the sake of an invalidation or of a
  ///   removal of memory
  /// @param longestNanos the longest time that one of those had to wait
  public record Statistics(long drains, long delayed, long revocations, long longestNanos) {}
}
