package dev.sluice.iommu;

import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/// One requester as its IOMMU knows it: which address space it is bound to, which access sections
/// are open, what it holds. A function whose requests carry several PASIDs is an endpoint for each,
/// and one more for those without.
///
/// The DMA context enters a section around each access and looks up translations in the address
/// space; a model binds the endpoint to one when it has resolved the requester's table entry, so
/// that later accesses hit without asking the model.
public final class Endpoint {
  /// The PASID of requests without one.
  public static final int NO_PASID = -1;

  /// The largest PASID: 20 bits (PCIe 6.0, 6.20).
  public static final int MAX_PASID = 0xF_FFFF;

  private final RequesterId requester;
  private final int pasid;
  private final GuestMemory memory;
  private final @Nullable Invalidator invalidator;
  private final InvalidationCount count;
  private final ThreadSections sections;
  private final HoldRegistry holds;
  private final LeaseDeadlines deadlines = new LeaseDeadlines(this);
  private final EventCounter misses = new EventCounter();
  private volatile @Nullable Iotlb space;
  private volatile Revocation revocation = Revocation.DEFAULT;

  /// Counts how often the binding was taken away; written under this, read without.
  private volatile long unbindings;

  Endpoint(
      RequesterId requester, int pasid, GuestMemory memory, @Nullable Invalidator invalidator) {
    checkPasid(pasid);
    this.requester = requester;
    this.pasid = pasid;
    this.memory = memory;
    this.invalidator = invalidator;
    count = invalidator == null ? new InvalidationCount() : invalidator.count();
    sections = new ThreadSections(invalidator == null ? () -> {} : invalidator::sectionsChanged);
    holds = new HoldRegistry(invalidator == null ? new AtomicInteger() : invalidator.holdCount());
  }

  /// An endpoint without an IOMMU: nothing is ever bound or invalidated, but sections and holds
  /// work.
  public static Endpoint standalone(RequesterId requester, GuestMemory memory) {
    return new Endpoint(requester, NO_PASID, memory, null);
  }

  /// Who it is.
  public RequesterId requester() {
    return requester;
  }

  /// The PASID of its requests, 0 to [#MAX_PASID], or [#NO_PASID].
  public int pasid() {
    return pasid;
  }

  static void checkPasid(int pasid) {
    if (pasid < NO_PASID || pasid > MAX_PASID) {
      throw new IllegalArgumentException("a PASID has 20 bits: " + pasid);
    }
  }

  /// The guest-physical memory that its accesses go to.
  public GuestMemory memory() {
    return memory;
  }

  /// How patient invalidations are with this endpoint's mappings.
  public Revocation revocation() {
    return revocation;
  }

  /// Changes [#revocation()] for delays that begin from now on.
  public void revocation(Revocation policy) {
    revocation = policy;
  }

  // --- for models: the binding

  /// To be taken before the requester's table entry is read; [#bind] wants it back.
  public long bindTicket() {
    return unbindings;
  }

  /// Binds the requester to an address space.
  ///
  /// @return false when the binding was invalidated since the ticket; it is not made then
  public boolean bind(Iotlb to, long ticket) {
    if (space == to && ticket == unbindings) {
      return true;
    }
    synchronized (this) {
      // Pairs with Invalidator.retire: it retires the cache and then takes bindings to it away.
      if (ticket != unbindings || to.isRetired()) {
        return false;
      }
      space = to;
      return true;
    }
  }

  /// The address space it is bound to, or null.
  public @Nullable Iotlb space() {
    return space;
  }

  /// Takes the binding away if it is to a space whose tag is meant. Whatever the present binding,
  /// one that is being made right now may be to such a space, so every ticket expires.
  void unbindIf(LongPredicate tag) {
    synchronized (this) {
      unbindings++;
      Iotlb bound = space;
      if (bound != null && tag.test(bound.tag())) {
        space = null;
      }
    }
  }

  void unbindFrom(Iotlb old) {
    synchronized (this) {
      if (space == old) {
        space = null;
      }
    }
  }

  // --- for the DMA context: sections, lookups, holds

  /// Begins an access section that touches one address space: an invalidation over it that begins
  /// from now on waits for its end. The caller then asks whether [#space()] is still that one. Keep
  /// it short, and never wait in it for another device or for the guest.
  ///
  /// @return to be left
  public AccessSection enter(long tag, long first, long last) {
    AccessSection section = sections.own();
    section.begin(tag, first, last);
    return section;
  }

  /// Begins an access section that may touch any address space; otherwise as the other.
  public AccessSection enter(long first, long last) {
    AccessSection section = sections.own();
    section.begin(first, last);
    return section;
  }

  /// The invalidations so far, as a number that grows. To be read at the start of a section that
  /// makes a hold or a lease, or before an access without a section, before any lookup.
  public long count() {
    return count.get();
  }

  /// Whether no invalidation came since [#count()] was `seen`, so that what was looked up and read
  /// in between was not overtaken by a completion.
  public boolean isUndisturbed(long seen) {
    return count.isStill(seen);
  }

  /// The cached translation of an address that allows an access, as an opaque word; [Iotlb#MISS]
  /// when the model would be asked. A mere look: within no section it says nothing about the next
  /// moment.
  ///
  /// @param rights as [dev.sluice.memory.Access#rights()]
  public long cached(long iova, int rights) {
    Iotlb bound = space;
    return bound == null ? Iotlb.MISS : bound.find(iova, rights);
  }

  /// The RAM behind an address: cached, or by a walk of the model's, which is kept then. Allocates
  /// nothing. Within a section.
  ///
  /// @param by the model
  /// @param bound [#space()], as read in this section
  /// @return as [Iotlb#find]; [Iotlb#MISS] when there is more to say than an address, and
  ///   [Iommu#translate] has to be asked
  public long resolve(Iommu by, Iotlb bound, long iova, Access access) {
    long found = bound.find(iova, access.rights());
    return found != Iotlb.MISS ? found : walk(by, bound, iova, access);
  }

  private long walk(Iommu by, Iotlb bound, long iova, Access access) {
    if (!bound.mayHaveWords(iova)) {
      return Iotlb.MISS;
    }
    long before = count.get();
    long page = by.walk(this, bound, iova, access);
    if (page == Iotlb.MISS) {
      return Iotlb.MISS;
    }
    misses.increment();
    long ticket = bound.ticket(iova);
    if (count.isStill(before)) {
      // No invalidation came during the walk, so the ticket is as good as one from before it.
      bound.offer(page, iova, ticket);
    }
    return Iotlb.ramAddress(page, iova);
  }

  /// Counts an access that had to ask the model.
  public void countMiss() {
    misses.increment();
  }

  /// Takes a lease on a part of a page. Within the `section` whose translation it uses.
  ///
  /// @param into becomes the lease
  /// @param tag the address space of the translation
  /// @param first first I/O virtual address, unsigned
  /// @param last last I/O virtual address, in the same 4 KiB page
  /// @param seen from [#count()], read at the start of the section
  /// @param ram what it leads to
  /// @return false when there are too many: a [#hold] has no limit
  public boolean lease(
      AccessSection section, PageLease into, long tag, long first, long last, long seen, long ram) {
    return section.leases().take(into, tag, first, last, seen, ram);
  }

  /// Registers a long-lived use. Within the section whose translation it uses.
  ///
  /// @param tag the address space of the translation
  /// @param first first I/O virtual address, unsigned
  /// @param last last I/O virtual address, inclusive
  /// @param seen from [#count()], read at the start of the section
  /// @param region what is held, so that its removal finds it
  /// @param ended runs once, when the hold is over, before invalidations that waited for it are
  ///   told
  public Hold hold(long tag, long first, long last, long seen, RamRegion region, Runnable ended) {
    Hold hold = new Hold(this, tag, first, last, seen, region, ended);
    holds.add(hold);
    return hold;
  }

  /// Takes everything away from a requester that begins no accesses any more: what it holds, and
  /// what an access under way is about to hold. `gone` runs when nothing of it can touch memory.
  public void shutDown(Runnable gone) {
    revokeAll();
    Drain.start(
        sectionsEnd -> awaitSections(0, 0, 0, -1, sectionsEnd),
        () -> {
          revokeAll();
          Drain.start(
              holdsEnd -> {
                holds.all().forEach(hold -> hold.delay(holdsEnd));
                awaitSections(0, 0, 0, -1, holdsEnd);
              },
              gone);
        });
  }

  private void revokeAll() {
    holds.all().forEach(Hold::revoke);
    PageLeases.Query all = new PageLeases.Query(0, 0, 0, -1, Long.MAX_VALUE, -1);
    for (AccessSection section : sections.all()) {
      PageLeases leases = section.leases();
      leases.forEach(
          all, (table, cell, word) -> deadlines.revoke(leases, table, cell, word, false));
    }
  }

  /// Accesses that had to ask the model.
  public long misses() {
    return misses.sum();
  }

  /// Mappings that are live, or on their way out, and the kernel's input and output.
  public int holdCount() {
    int count = holds.size();
    for (AccessSection section : sections.all()) {
      count += section.leases().size();
    }
    return count;
  }

  // --- for the drain

  /// Makes `drain`, which is being set up, wait for the sections that are open now and may touch
  /// what is meant.
  void awaitSections(long tagMask, long tagValue, long first, long last, Drain drain) {
    for (AccessSection section : sections.all()) {
      long open = section.openOver(tagMask, tagValue, first, last);
      if (open != 0) {
        drain.await(section.waits(), () -> section.isOver(open));
      }
    }
  }

  /// Whether a section may have used a lease that another thread gave back meanwhile.
  boolean mayUseLeases() {
    for (AccessSection section : sections.all()) {
      if (section.hadLeases()) {
        return true;
      }
    }
    return false;
  }

  /// Makes `drain` wait for the leases that are meant, each no longer than its deadline.
  void awaitLeases(PageLeases.Query query, Drain drain) {
    List<Runnable> expiries = new ArrayList<>();
    for (AccessSection section : sections.all()) {
      PageLeases leases = section.leases();
      leases.forEach(
          query,
          (table, cell, word) -> {
            drain.await(section.waits(), () -> table.word(cell) != word);
            expiries.add(() -> deadlines.expire(leases, table, cell, word));
          });
    }
    expiries.forEach(Runnable::run);
  }

  AccessSection[] sections() {
    return sections.all();
  }

  HoldRegistry holds() {
    return holds;
  }

  /// Some memory has to go: each use of it is revoked when this endpoint's patience is over, unless
  /// it has ended by then. The memory gives no new hold by now, and cached translations to it are
  /// gone; what a section is about to take is found when that section has ended.
  ///
  /// @param letGo runs once, when the endpoint knows no way to the memory any more
  public void surrender(RamRegion region, Runnable letGo) {
    PageLeases.Query onRegion = new PageLeases.Query(0, 0, 0, -1, Long.MAX_VALUE, region.number());
    Drain.start(
        sectionsEnd -> awaitSections(0, 0, 0, -1, sectionsEnd),
        () -> {
          for (Hold hold : holds.all()) {
            if (hold.memory() == region) {
              hold.expire();
            }
          }
          Drain.start(
              leasesEnd -> {
                if (region.number() >= 0) {
                  awaitLeases(onRegion, leasesEnd);
                }
              },
              () -> Drain.start(usesEnd -> awaitSections(0, 0, 0, -1, usesEnd), letGo));
        });
  }

  DeadlineClock clock() {
    return invalidator == null ? DeadlineClock.system() : invalidator.clock();
  }

  void countRevocation() {
    if (invalidator != null) {
      invalidator.countRevocation();
    }
  }

  @Override
  public String toString() {
    return "endpoint " + requester + (pasid == NO_PASID ? "" : " PASID 0x%x".formatted(pasid));
  }
}
