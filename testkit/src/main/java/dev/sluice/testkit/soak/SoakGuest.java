package dev.sluice.testkit.soak;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/// One processor of the guest: hands the pages of its slots on, one owner after the other, and
/// checks each when it comes back.
final class SoakGuest {
  /// How many pages rest, out of every device's reach, before they are used again.
  private static final int RESTING = 12;

  private static final int REMAPS_BETWEEN_WITHDRAWALS = 64;

  /// A page that no device may reach.
  private record Sealed(long frame, int tenancy) {}

  /// A slot of this guest and what is behind it.
  private static final class Holding {
    final int space;
    final long iova;
    final Slot slot;
    long frame;

    Holding(int space, long iova, Slot slot, long frame) {
      this.space = space;
      this.iova = iova;
      this.slot = slot;
      this.frame = frame;
    }
  }

  private final int number;
  private final SoakMachine machine;
  private final SoakIommu iommu;
  private final Frames frames;
  private final SplittableRandom random;
  private final Waiting waiting;
  private final List<Holding> holdings = new ArrayList<>();
  private final List<Withdrawable> withdrawables = new ArrayList<>();
  private final Deque<Sealed> resting = new ArrayDeque<>();
  private int seals;
  private long counted;
  private long remaps;
  private long withdrawals;

  SoakGuest(int number, SoakMachine machine, SplittableRandom random, Waiting waiting) {
    this.number = number;
    this.machine = machine;
    this.iommu = machine.iommu();
    this.frames = machine.frames();
    this.random = random;
    this.waiting = waiting;
    for (int i = 0; i < RESTING; i++) {
      rest(machine.memory().frame());
    }
  }

  /// Gives it a slot to look after, with tenancy 0 in place. Before the soak begins.
  void own(int space, long iova, Slot slot) {
    Holding holding = new Holding(space, iova, slot, machine.memory().frame());
    holdings.add(holding);
    frames.furnish(holding.frame, slot, 0);
    install(holding, 0);
  }

  /// Gives it slots to take away now and then. Before the soak begins.
  void own(Withdrawable group) {
    withdrawables.add(group);
    furnish(group, 0);
  }

  long remaps() {
    return remaps;
  }

  long withdrawals() {
    return withdrawals;
  }

  /// What devices had added to the counters of the pages that this guest has looked at.
  long counted() {
    return counted;
  }

  /// Hands pages on until it is told to stop.
  ///
  /// @param quota how many pages are its part
  void run(Progress progress, long quota) {
    boolean behind = true;
    int untilWithdrawal = REMAPS_BETWEEN_WITHDRAWALS;
    while (progress.goesOn()) {
      int count = remapSome();
      remaps += count;
      untilWithdrawal -= count;
      if (behind && remaps >= quota) {
        behind = false;
        progress.caughtUp();
      }
      if (untilWithdrawal <= 0 && !withdrawables.isEmpty()) {
        withdraw(withdrawables.get(random.nextInt(withdrawables.size())));
        withdrawals++;
        untilWithdrawal = REMAPS_BETWEEN_WITHDRAWALS;
      }
    }
  }

  // --- slots one by one

  /// @return how many pages changed hands
  private int remapSome() {
    int count = 1 + random.nextInt(3);
    List<Holding> changed = new ArrayList<>(count);
    List<Scope> scopes = new ArrayList<>(count);
    long[] old = new long[count];
    for (int i = 0; i < count; i++) {
      Holding holding = pick();
      if (changed.contains(holding)) {
        continue;
      }
      old[changed.size()] = holding.frame;
      changed.add(holding);
      int before = holding.slot.latest();
      int next = holding.slot.announce();
      holding.frame = unseal();
      frames.furnish(holding.frame, holding.slot, next);
      install(holding, next);
      if (holding.slot.grant(before) != Grant.NONE || random.nextBoolean()) {
        scopes.add(machine.scopeOver(holding.space, holding.iova, random));
      }
    }
    if (!scopes.isEmpty()) {
      iommu.invalidate(number, scopes, waiting);
    }
    for (int i = 0; i < changed.size(); i++) {
      Holding holding = changed.get(i);
      holding.slot.settle();
      counted += frames.inspect(old[i], holding.slot, holding.slot.latest() - 1);
      rest(old[i]);
    }
    return changed.size();
  }

  private Holding pick() {
    int among = random.nextInt(4) == 0 ? holdings.size() : Math.min(holdings.size(), 4);
    return holdings.get(random.nextInt(among));
  }

  private void install(Holding holding, int tenancy) {
    var rights = holding.slot.grant(tenancy).rights;
    if (rights == null) {
      iommu.unmap(holding.space, holding.iova, 0);
    } else {
      iommu.map(holding.space, holding.iova, holding.frame, 0, rights);
    }
  }

  private void rest(long frame) {
    Sealed sealed = new Sealed(frame, seals++);
    frames.seal(frame, sealed.tenancy());
    resting.addLast(sealed);
  }

  private long unseal() {
    @Nullable Sealed oldest = resting.pollFirst();
    if (oldest == null) {
      throw new IllegalStateException("no page rests");
    }
    frames.checkSeal(oldest.frame(), oldest.tenancy());
    return oldest.frame();
  }

  // --- slots all at once

  private void withdraw(Withdrawable group) {
    group.slots().forEach(Slot::announce);
    group.turnover().withdraw(waiting);
    group.slots().forEach(Slot::settle);
    int tenancy = group.slots().getFirst().latest();
    inspect(group, tenancy - 1);
    long[] pages = group.pages(tenancy - 1);
    for (long page : pages) {
      frames.seal(page, tenancy);
    }
    for (int i = random.nextInt(4); i >= 0; i--) {
      remaps += remapSome();
    }
    for (long page : pages) {
      frames.checkSeal(page, tenancy);
    }
    furnish(group, tenancy + 1);
    group.slots().forEach(Slot::announce);
    group.turnover().giveBack(tenancy + 1);
    group.slots().forEach(Slot::settle);
  }

  private void furnish(Withdrawable group, int tenancy) {
    for (int i = 0; i < group.slots().size(); i++) {
      frames.furnish(group.pages(tenancy)[i], group.slots().get(i), tenancy);
    }
  }

  private void inspect(Withdrawable group, int tenancy) {
    for (int i = 0; i < group.slots().size(); i++) {
      counted += frames.inspect(group.pages(tenancy)[i], group.slots().get(i), tenancy);
    }
  }

  /// Looks at every page, when no device accesses any more.
  void inspectAll() {
    for (Holding holding : holdings) {
      counted += frames.inspect(holding.frame, holding.slot, holding.slot.latest());
    }
    for (Withdrawable group : withdrawables) {
      inspect(group, group.slots().getFirst().latest());
    }
    resting.forEach(sealed -> frames.checkSeal(sealed.frame(), sealed.tenancy()));
  }
}
