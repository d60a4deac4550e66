package dev.sluice.iommu;

import dev.sluice.iommu.Translation.Fault;
import dev.sluice.iommu.Translation.Page;
import dev.sluice.memory.Access;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// An IOMMU whose tables are a list of pages: what a test writes into it is what devices get. It
/// caches as a model does, so a test that changes the list without an invalidation meets the old
/// page again.
///
/// Every requester starts in the address space [#TAG]. The addresses from [#INTERRUPTS] on, 1 MiB,
/// take interrupt messages.
public final class FakeIommu implements Iommu {
  /// The address space of requesters that were not moved to another.
  public static final long TAG = 7;

  /// Where interrupt messages go.
  public static final long INTERRUPTS = 0xFEE0_0000L;

  /// Fault codes, one a kind of refusal.
  public static final int CODE_BLOCKED = 1;

  public static final int CODE_NOT_MAPPED = 2;
  public static final int CODE_NO_READ = 3;
  public static final int CODE_NO_WRITE = 4;

  /// A refusal that was reported.
  public record Report(RequesterId requester, long iova, Access access, Fault fault) {}

  /// An interrupt message that was delivered.
  public record Message(RequesterId requester, long address, int data) {}

  private static final long BLOCKED = -1;

  private final Invalidator invalidator;
  private final List<Page> pages = new CopyOnWriteArrayList<>();
  private final Map<Requesters, Long> spaces = new ConcurrentHashMap<>();
  private final List<Report> reports = new CopyOnWriteArrayList<>();
  private final List<Message> messages = new CopyOnWriteArrayList<>();
  private final AtomicInteger walks = new AtomicInteger();
  private volatile boolean caching = true;
  private volatile Runnable afterWalk = () -> {};

  public FakeIommu() {
    this(new Invalidator());
  }

  public FakeIommu(Invalidator invalidator) {
    this.invalidator = invalidator;
  }

  /// Maps a 4 KiB page for reading and writing.
  public FakeIommu map(long iova, long address) {
    return map(iova, address, 12, Access.READ_WRITE);
  }

  public FakeIommu map(long iova, long address, int shift, Access access) {
    return map(new Page(iova, address, shift, access.reads(), access.writes(), TAG));
  }

  public FakeIommu map(Page page) {
    pages.add(page);
    return this;
  }

  /// Takes the page that holds `iova` out of the tables; caches keep it.
  public void unmap(long iova) {
    pages.removeIf(page -> page.contains(iova) && page.tag() == TAG);
  }

  /// Moves a requester to another address space; a binding that was made stays.
  public void move(RequesterId requester, long tag) {
    move(requester, Endpoint.NO_PASID, tag);
  }

  public void move(RequesterId requester, int pasid, long tag) {
    spaces.put(new Requesters(requester, pasid), tag);
  }

  public void block(RequesterId requester) {
    move(requester, BLOCKED);
  }

  /// Whether results are offered to the IOTLB and requesters bound.
  public void caching(boolean on) {
    caching = on;
  }

  /// Runs in each translation after the tables were read and before the result is cached: where a
  /// late walker is late.
  public void afterWalk(Runnable hook) {
    afterWalk = hook;
  }

  public int walks() {
    return walks.get();
  }

  public List<Report> reports() {
    return reports;
  }

  public List<Message> messages() {
    return messages;
  }

  @Override
  public Invalidator invalidator() {
    return invalidator;
  }

  @Override
  public Translation translate(Endpoint endpoint, long iova, Access access) {
    if (iova >>> 20 == INTERRUPTS >>> 20) {
      return access == Access.WRITE
          ? new Translation.Interrupt()
          : new Fault(AbortReason.INTERRUPT_RANGE, CODE_NOT_MAPPED, true);
    }
    walks.incrementAndGet();
    long bindTicket = endpoint.bindTicket();
    long tag = spaces.getOrDefault(Requesters.of(endpoint), TAG);
    if (tag == BLOCKED) {
      return new Fault(AbortReason.BLOCKED, CODE_BLOCKED, true);
    }
    Iotlb space = invalidator.space(tag, endpoint);
    long ticket = space.ticket(iova);
    Page page = find(tag, iova);
    afterWalk.run();
    if (page == null) {
      return new Fault(AbortReason.NOT_MAPPED, CODE_NOT_MAPPED, true);
    }
    if (caching) {
      space.insert(page, iova, ticket);
      endpoint.bind(space, bindTicket);
    }
    if (page.allows(access)) {
      return page;
    }
    return access.reads() && !page.readable()
        ? new Fault(AbortReason.NO_READ, CODE_NO_READ, true)
        : new Fault(AbortReason.NO_WRITE, CODE_NO_WRITE, true);
  }

  private @Nullable Page find(long tag, long iova) {
    for (Page page : pages) {
      if (page.tag() == tag && page.contains(iova)) {
        return page;
      }
    }
    return null;
  }

  @Override
  public void report(Endpoint endpoint, long iova, Access access, Fault fault) {
    reports.add(new Report(endpoint.requester(), iova, access, fault));
  }

  @Override
  public void interrupt(Endpoint endpoint, long address, int data) {
    messages.add(new Message(endpoint.requester(), address, data));
  }
}
