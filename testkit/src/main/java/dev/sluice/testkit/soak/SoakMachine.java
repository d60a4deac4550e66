package dev.sluice.testkit.soak;

import dev.sluice.dma.DmaContext;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.Access;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.stream.IntStream;

/// The machine under soak: memory, an IOMMU, requesters, and who looks after which slot.
///
/// | requester | address space | what comes and goes |
/// |---|---|---|
/// | 0, 1 | 0, shared | pages one by one, among them pages of counters; a region |
/// | 2 | 1 | the same, and a large page |
/// | 3 | 2 and 3 in turns | its binding |
/// | 4 | none: no IOMMU | the region |
///
/// Some pages of a space lie 16 MiB apart, so that they meet in caches of 4096 entries and less.
final class SoakMachine implements AutoCloseable {
  private static final int DATA_SLOTS = 6;
  private static final int COUNTER_SLOTS = 4;
  private static final int GROUP_SLOTS = 8;

  private static final long DATA = 0x1000_0000L;
  private static final long COUNTERS = 0x1000_8000L;
  private static final long DATA_IN_THE_SAME_PLACES = 0x1100_0000L;
  private static final long PLUGGABLE = 0x2000_0000L;
  private static final long LARGE = 0x4000_0000L;
  private static final long REBOUND = 0x3000_0000L;

  /// Where each of the two spaces with pages that change hands begins: the second near the end of
  /// what 48 bits reach.
  private static final long[] BASES = {0, 0xFFF0_0000_0000L};

  private static final int FIRST_REBOUND_SPACE = 2;

  private final SoakMemory memory = new SoakMemory();
  private final Frames frames = new Frames(memory);
  private final SoakIommu iommu;
  private final List<Requester> requesters = new ArrayList<>();
  private final List<SoakGuest> guests = new ArrayList<>();
  private final List<Scope> scopes = new ArrayList<>();
  private int slots;

  SoakMachine(
      SoakPlan plan,
      SplittableRandom random,
      Waiting waiting,
      Function<SoakMemory, SoakIommu> adapter) {
    iommu = adapter.apply(memory);
    for (int i = 0; i < plan.guests(); i++) {
      guests.add(new SoakGuest(i, this, random.split(), waiting));
    }
    SlotRun pluggable = withdrawn(PLUGGABLE, GROUP_SLOTS);
    long[] plugged = pagesFrom(memory.pluggable());
    for (int space = 0; space < BASES.length; space++) {
      addSpace(space, pluggable, plugged);
    }
    guests.getFirst().own(new Withdrawable(pluggable.slots(), List.of(plugged), unplugging()));
    SlotRun direct = new SlotRun(memory.pluggable(), pluggable.slots());
    addRebound();
    DmaContext withoutIommu = DmaContext.direct(memory.physical(), id(requesters.size()));
    add(withoutIommu, List.of(direct), Revocation.after(Duration.ofNanos(100_000)));
  }

  SoakMemory memory() {
    return memory;
  }

  Frames frames() {
    return frames;
  }

  SoakIommu iommu() {
    return iommu;
  }

  List<Requester> requesters() {
    return requesters;
  }

  List<SoakGuest> guests() {
    return guests;
  }

  // --- how it is built

  private SlotRun run(long iova, int count, Slot.Content content, Slot.Turnover turnover) {
    List<Slot> run =
        IntStream.range(0, count).mapToObj(_ -> new Slot(slots++, content, turnover)).toList();
    return new SlotRun(iova, run);
  }

  private SlotRun withdrawn(long iova, int count) {
    return run(iova, count, Slot.Content.DATA, Slot.Turnover.WITHDRAWN);
  }

  private static long[] pagesFrom(long address) {
    return IntStream.range(0, GROUP_SLOTS).mapToLong(i -> address + i * 4096L).toArray();
  }

  private static RequesterId id(int index) {
    return RequesterId.of(0, 1 + index, 0);
  }

  private void add(DmaContext dma, List<SlotRun> runs, Revocation revocation) {
    requesters.add(new Requester(requesters.size(), dma, runs, revocation));
  }

  private void addBehind(int space, List<SlotRun> runs, Revocation revocation) {
    RequesterId id = id(requesters.size());
    iommu.bind(id, space);
    add(DmaContext.behind(iommu.iommu(), memory.physical(), id), runs, revocation);
  }

  private void addSpace(int space, SlotRun pluggable, long[] plugged) {
    long base = BASES[space];
    List<SlotRun> runs = new ArrayList<>();
    runs.add(remapped(space, base + DATA, DATA_SLOTS, Slot.Content.DATA));
    runs.add(remapped(space, base + DATA_IN_THE_SAME_PLACES, DATA_SLOTS, Slot.Content.DATA));
    runs.add(new SlotRun(base + PLUGGABLE, pluggable.slots()));
    mapAll(space, base + PLUGGABLE, plugged);
    if (space == 1) {
      runs.add(addLargePage(space, base + LARGE));
    }
    runs.add(remapped(space, base + COUNTERS, COUNTER_SLOTS, Slot.Content.COUNTERS));
    if (space == 0) {
      addBehind(space, runs, Revocation.never());
      addBehind(space, runs, Revocation.after(Duration.ofNanos(200_000)));
    } else {
      addBehind(space, runs, Revocation.immediately());
    }
    scopes.add(new Scope.Space(space));
  }

  private SlotRun remapped(int space, long iova, int count, Slot.Content content) {
    SlotRun run = run(iova, count, content, Slot.Turnover.REMAPPED);
    for (int i = 0; i < count; i++) {
      long at = iova + i * 4096L;
      guests.get(i % guests.size()).own(space, at, run.slots().get(i));
      scopes.add(new Scope.Pages(space, at, 0));
    }
    return run;
  }

  private void mapAll(int space, long iova, long[] pages) {
    for (int i = 0; i < pages.length; i++) {
      iommu.map(space, iova + i * 4096L, pages[i], 0, Access.READ_WRITE);
    }
  }

  private SlotRun addLargePage(int space, long iova) {
    SlotRun run = withdrawn(iova, GROUP_SLOTS);
    int order = iommu.largeOrder();
    iommu.map(space, iova, memory.largePage(), order, Access.READ_WRITE);
    Scope whole = new Scope.Pages(space, iova, order);
    int guest = guests.size() - 1;
    guests
        .get(guest)
        .own(
            new Withdrawable(
                run.slots(),
                List.of(pagesFrom(memory.largePage())),
                new Withdrawable.Turnover() {
                  @Override
                  public void withdraw(Waiting waiting) {
                    iommu.unmap(space, iova, order);
                    iommu.invalidate(guest, List.of(whole), waiting);
                  }

                  @Override
                  public void giveBack(int tenancy) {
                    iommu.map(space, iova, memory.largePage(), order, Access.READ_WRITE);
                  }
                }));
    return run;
  }

  private Withdrawable.Turnover unplugging() {
    return new Withdrawable.Turnover() {
      @Override
      public void withdraw(Waiting waiting) {
        AtomicBoolean drained = new AtomicBoolean();
        memory.unplug(() -> drained.set(true));
        waiting.until(drained::get, "removal of a region");
      }

      @Override
      public void giveBack(int tenancy) {
        memory.plugIn();
      }
    };
  }

  /// A requester that has two address spaces in turns, with the same pages in another order.
  private void addRebound() {
    SlotRun run = withdrawn(REBOUND, GROUP_SLOTS);
    long[] pages = IntStream.range(0, GROUP_SLOTS).mapToLong(_ -> memory.frame()).toArray();
    long[] reversed =
        IntStream.range(0, GROUP_SLOTS).mapToLong(i -> pages[GROUP_SLOTS - 1 - i]).toArray();
    mapAll(FIRST_REBOUND_SPACE, REBOUND, pages);
    mapAll(FIRST_REBOUND_SPACE + 1, REBOUND, reversed);
    RequesterId requester = id(requesters.size());
    addBehind(FIRST_REBOUND_SPACE, List.of(run), Revocation.after(Duration.ofMillis(1)));
    int guest = guests.size() - 1;
    guests
        .get(guest)
        .own(
            new Withdrawable(
                run.slots(),
                List.of(pages, reversed),
                new Withdrawable.Turnover() {
                  private int space = FIRST_REBOUND_SPACE;

                  @Override
                  public void withdraw(Waiting waiting) {
                    iommu.unbind(requester);
                    iommu.invalidate(guest, List.of(new Scope.Binding(requester, space)), waiting);
                  }

                  @Override
                  public void giveBack(int tenancy) {
                    space = FIRST_REBOUND_SPACE + tenancy / 2 % 2;
                    iommu.bind(requester, space);
                  }
                }));
  }

  // --- what guests invalidate

  /// What a guest invalidates after a change of one page: that page, mostly.
  Scope scopeOver(int space, long iova, SplittableRandom random) {
    int choice = random.nextInt(128);
    if (choice == 0) {
      return new Scope.Everything();
    }
    if (choice < 6) {
      return new Scope.Space(space);
    }
    int order = choice < 24 ? 1 + random.nextInt(4) : 0;
    return new Scope.Pages(space, iova & -(4096L << order), order);
  }

  /// Something to be invalidated for no reason.
  Scope anyScope(SplittableRandom random) {
    return random.nextInt(256) == 0
        ? new Scope.Everything()
        : scopes.get(random.nextInt(scopes.size()));
  }

  @Override
  public void close() {
    requesters.forEach(requester -> requester.dma().close());
    iommu.close();
    memory.close();
  }
}
