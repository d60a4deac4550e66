package dev.sluice.iommu;

import dev.sluice.iommu.Translation.Page;
import dev.sluice.memory.Access;
import dev.sluice.memory.RamRegion;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/// One requester as its IOMMU knows it: which address space it is bound to, which access sections
/// are open, what it holds.
///
/// The DMA context enters a section around each access and looks up translations here; a model
/// binds the endpoint to an address space when it has resolved the requester's table entry, so that
/// later accesses hit without asking the model.
public final class Endpoint {
  private final RequesterId requester;
  private final @Nullable Invalidator invalidator;
  private final AccessGate gate = new AccessGate();
  private final HoldRegistry holds = new HoldRegistry();
  private final LongAdder hits = new LongAdder();
  private final LongAdder misses = new LongAdder();
  private volatile @Nullable Iotlb space;
  private volatile Revocation revocation = Revocation.DEFAULT;

  /// Counts how often the binding was taken away; written under this, read without.
  private volatile long unbindings;

  Endpoint(RequesterId requester, @Nullable Invalidator invalidator) {
    this.requester = requester;
    this.invalidator = invalidator;
  }

  /// An endpoint without an IOMMU: nothing is ever bound or invalidated, but sections and holds
  /// work.
  public static Endpoint standalone(RequesterId requester) {
    return new Endpoint(requester, null);
  }

  /// Who it is.
  public RequesterId requester() {
    return requester;
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
    synchronized (this) {
      if (ticket != unbindings) {
        return false;
      }
      space = to;
    }
    // Pairs with Invalidator.evict: it retires the cache and then looks for endpoints bound to it.
    if (to.isRetired()) {
      unbindFrom(to);
      return false;
    }
    return true;
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

  /// Begins an access section: an invalidation that begins from now on waits for its end. Keep it
  /// short, and never wait in it for another device or for the guest.
  ///
  /// @return to be given to [#leave]
  public int enter() {
    return gate.enter();
  }

  /// Ends an access section; may run the completion of an invalidation on this thread.
  public void leave(int entered) {
    gate.leave(entered);
  }

  /// The cached page of an address in the bound address space, if it allows the access; else null,
  /// and the model has to be asked. Within a section.
  public @Nullable Page lookup(long iova, Access access) {
    Iotlb bound = space;
    Page page = bound == null ? null : bound.lookup(iova);
    if (page == null || !page.allows(access)) {
      misses.increment();
      return null;
    }
    hits.increment();
    return page;
  }

  /// The invalidations that have become visible to this endpoint, as a number that grows. To be
  /// read at the start of a section that makes a hold, before any lookup.
  public long generation() {
    return invalidator == null ? 0 : invalidator.generation();
  }

  /// Registers a long-lived use. Within the section whose translation it uses.
  ///
  /// @param tag the address space of the translation
  /// @param first first I/O virtual address, unsigned
  /// @param last last I/O virtual address, inclusive
  /// @param generation from [#generation()], read at the start of the section
  /// @param memory what is held, so that [#expireHoldsOn] finds it
  /// @param ended runs once, when the hold is over, before invalidations that waited for it are
  ///   told
  public Hold hold(
      long tag, long first, long last, long generation, RamRegion memory, Runnable ended) {
    Hold hold = new Hold(this, tag, first, last, generation, memory, ended);
    holds.add(hold);
    return hold;
  }

  /// Takes everything away from a requester that begins no accesses any more: what it holds, and
  /// what an access under way is about to hold. `gone` runs when nothing of it can touch memory.
  public void shutDown(Runnable gone) {
    holds.all().forEach(Hold::revoke);
    Drain leaving = new Drain(gone);
    gate.await(() -> {
      for (Hold hold : holds.all()) {
        hold.revoke();
        hold.delay(leaving);
      }
      leaving.countDown();
    });
  }

  /// Lookups that a cached translation answered.
  public long hits() {
    return hits.sum();
  }

  /// Lookups that went to the model.
  public long misses() {
    return misses.sum();
  }

  /// Holds that are live or on their way out.
  public int holdCount() {
    return holds.size();
  }

  // --- for the drain

  void awaitSections(Runnable quiescent) {
    gate.await(quiescent);
  }

  HoldRegistry holds() {
    return holds;
  }

  /// Some memory has to go: each hold on it is revoked when this endpoint's patience is over,
  /// unless it has ended by then. The memory gives no new hold by now; one that a section has taken
  /// and not yet registered is found when that section has ended.
  public void expireHoldsOn(RamRegion memory) {
    gate.await(() -> {
      for (Hold hold : holds.all()) {
        if (hold.memory() == memory) {
          hold.expire();
        }
      }
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
    return "endpoint " + requester;
  }
}
