package dev.sluice.testkit.soak;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/// Soaks an IOMMU model and the drain behind it: devices, guests and an invalidator on threads of
/// their own, at full speed.
///
/// What it finds: stale reads and writes after an invalidation, a removal of memory or a rebinding
/// that the guest has seen complete; accesses against the guest's rights; legal accesses that are
/// refused; lost writes and atomic additions; invalidations that never complete; mappings that are
/// usable after their end, or taken away against their context's policy.
public final class Soak {
  /// Accesses after which a device goes on in another thread, a platform thread and a virtual one
  /// in turns: what a thread leaves behind must not matter.
  private static final int SHIFT = 20_000;

  private final SoakPlan plan;
  private final SplittableRandom random;
  private final Referee referee = new Referee();
  private final Waiting waiting = new Waiting(referee);
  private final Progress progress;
  private final MappingExchange exchange = new MappingExchange();
  private final DeviceCounts total = new DeviceCounts();
  private final AtomicLong invalidations = new AtomicLong();
  private final SoakMachine machine;

  private Soak(SoakPlan plan, Function<SoakMemory, SoakIommu> adapter) {
    this.plan = plan;
    this.random = new SplittableRandom(plan.seed());
    this.progress = new Progress(referee, plan.devices() + plan.guests());
    this.machine = new SoakMachine(plan, random, waiting, adapter);
  }

  /// Does what the plan says.
  ///
  /// @param adapter makes the IOMMU under soak
  /// @return what was done
  /// @throws AssertionError at the first thing that no order of events allows
  public static SoakReport run(SoakPlan plan, Function<SoakMemory, SoakIommu> adapter) {
    Soak soak = new Soak(plan, adapter);
    try (soak.machine) {
      return soak.run();
    }
  }

  private SoakReport run() {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < plan.guests(); i++) {
      SoakGuest guest = machine.guests().get(i);
      long quota = plan.remaps() / plan.guests();
      threads.add(start("guest " + i, () -> guest.run(progress, quota)));
    }
    for (int i = 0; i < plan.devices(); i++) {
      String name = "device " + i;
      int home = i;
      SplittableRandom own = random.split();
      threads.add(start(name, () -> device(name, home, own)));
    }
    SplittableRandom own = random.split();
    threads.add(start("invalidator", () -> invalidate(own)));
    threads.forEach(this::join);
    referee.watch("the last look", this::lastLook);
    referee.judge(plan);
    long remaps = machine.guests().stream().mapToLong(SoakGuest::remaps).sum();
    long withdrawals = machine.guests().stream().mapToLong(SoakGuest::withdrawals).sum();
    return total.report(remaps, withdrawals, invalidations.get());
  }

  private Thread start(String name, Runnable part) {
    return Thread.ofPlatform().name("soak " + name).start(() -> referee.watch(name, part));
  }

  /// Waits for a thread's end; an interrupt ends the soak.
  private void join(Thread thread) {
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        referee.watch(
            Thread.currentThread().getName(),
            () -> {
              throw new SoakFailure("interrupted");
            });
      }
    }
  }

  // --- the parts

  private void device(String name, int home, SplittableRandom own) {
    try (Arena arena = Arena.ofShared();
        FileChannel file = temporaryFile()) {
      MemorySegment buffer = arena.allocate(AccessWindow.BUFFER + Long.BYTES, Long.BYTES);
      SoakDevice device = new SoakDevice(machine.requesters(), home, own, buffer, file, exchange);
      long quota = plan.accesses() / plan.devices();
      boolean behind = true;
      for (int shift = 0; progress.goesOn(); shift++) {
        Thread.Builder builder = shift % 2 == 0 ? Thread.ofPlatform() : Thread.ofVirtual();
        join(builder.name("soak " + name).start(() -> referee.watch(name, () -> shift(device))));
        if (behind && device.counts().accesses() >= quota) {
          behind = false;
          progress.caughtUp();
        }
      }
      synchronized (total) {
        total.add(device.counts());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      // Whoever comes last closes what is left; until then others take it over.
      exchange.close();
    }
  }

  private void shift(SoakDevice device) {
    long end = device.counts().accesses() + SHIFT;
    while (device.counts().accesses() < end && progress.goesOn()) {
      device.work();
    }
    device.moveOn();
  }

  private static FileChannel temporaryFile() throws IOException {
    Path path = Files.createTempFile("sluice-soak", ".bin");
    return FileChannel.open(
        path,
        StandardOpenOption.READ,
        StandardOpenOption.WRITE,
        StandardOpenOption.DELETE_ON_CLOSE);
  }

  /// Invalidates what has not changed: that costs, and changes nothing.
  private void invalidate(SplittableRandom own) {
    while (progress.goesOn()) {
      List<Scope> scopes = new ArrayList<>();
      for (int i = own.nextInt(3); i >= 0; i--) {
        scopes.add(machine.anyScope(own));
      }
      machine.iommu().invalidate(plan.guests(), scopes, waiting);
      invalidations.incrementAndGet();
      if (own.nextInt(4) == 0) {
        waiting.pause();
      }
    }
  }

  private void lastLook() {
    referee.checkGoingOn();
    for (Requester requester : machine.requesters()) {
      int left = requester.dma().endpoint().holdCount();
      if (left != 0) {
        throw new SoakFailure(
            requester + " is said to hold " + left + " mappings, and all are closed");
      }
    }
    machine.guests().forEach(SoakGuest::inspectAll);
    long counted = machine.guests().stream().mapToLong(SoakGuest::counted).sum();
    if (counted != total.increments()) {
      throw new SoakFailure(
          "devices added %d to counters, and %d are in memory"
              .formatted(total.increments(), counted));
    }
  }
}
