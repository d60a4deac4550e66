package dev.sluice.testkit.soak;

import dev.sluice.dma.MapResult;
import dev.sluice.dma.Mapping;
import dev.sluice.dma.MappingClosedException;
import dev.sluice.dma.MappingRevokedException;
import dev.sluice.dma.MemoryLostException;
import dev.sluice.dma.TargetAbort;
import dev.sluice.memory.Access;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;

/// A device's thread at work with mappings: makes them, uses them, leaves them to other threads,
/// closes them.
final class DeviceMappings {
  private static final int[] SCALARS = {1, 2, 4, 8};

  /// Uses by a device that does not let go: some of its mappings are taken away under it.
  private static final int STUBBORN_USES = 500;

  private final MappingExchange exchange;
  private final SplittableRandom random;
  private final MemorySegment buffer;
  private final FileChannel file;
  private final DeviceCounts counts;

  /// Mappings that are opened again and again, one a requester.
  private final Map<Requester, Mapping> own = new HashMap<>();

  DeviceMappings(
      MappingExchange exchange,
      SplittableRandom random,
      MemorySegment buffer,
      FileChannel file,
      DeviceCounts counts) {
    this.exchange = exchange;
    this.random = random;
    this.buffer = buffer;
    this.file = file;
    this.counts = counts;
  }

  /// Maps, uses, and closes or hands over.
  void map(Requester by, SlotRun run, int offset, int length) {
    Access access = run.counters() ? Access.READ : Requester.anyAccess(random);
    if (random.nextBoolean()) {
      mapAgain(by, run, offset, length, access);
      return;
    }
    AccessWindow window = new AccessWindow();
    window.open(by, run, offset, length, "map for " + access);
    MapResult result = by.dma().map(window.iova(), length, access);
    window.close();
    switch (result) {
      case TargetAbort abort -> {
        window.judge(abort, access);
        counts.refused();
      }
      case Mapping mapping -> {
        window.shorten(mapping.length());
        window.checkAllowed(window.length(), access);
        counts.mapped();
        HeldMapping held = new HeldMapping(by, mapping, window, false);
        use(held, uses(by));
        if (random.nextInt(4) == 0) {
          handOver(held.handedOver());
        } else {
          close(held);
        }
      }
    }
  }

  private int uses(Requester by) {
    boolean stubborn = by.revocable() && random.nextInt(32) == 0;
    return stubborn ? STUBBORN_USES : 1 + random.nextInt(4);
  }

  /// Maps as before, with a mapping that was open before and stays with this device.
  private void mapAgain(Requester by, SlotRun run, int offset, int length, Access access) {
    Mapping mapping = own.computeIfAbsent(by, requester -> requester.dma().newMapping());
    AccessWindow window = new AccessWindow();
    window.open(by, run, offset, length, "map again for " + access);
    TargetAbort abort = by.dma().map(window.iova(), length, access, mapping);
    window.close();
    if (abort != null) {
      window.judge(abort, access);
      counts.refused();
      return;
    }
    window.shorten(mapping.length());
    window.checkAllowed(window.length(), access);
    counts.mapped();
    HeldMapping held = new HeldMapping(by, mapping, window, false);
    use(held, uses(by));
    close(held);
  }

  /// Takes a mapping that another thread has left, if there is one.
  void takeOver() {
    HeldMapping found = exchange.swap(random.nextInt(1 << 10), null);
    if (found != null) {
      counts.handedOver();
      use(found, 1 + random.nextInt(4));
      close(found);
    }
  }

  /// From here on another thread may use and close it; this one goes on using it, too, and now and
  /// then closes it as well.
  private void handOver(HeldMapping held) {
    HeldMapping displaced = exchange.swap(random.nextInt(1 << 10), held);
    use(held, 1 + random.nextInt(4));
    if (random.nextInt(4) == 0) {
      close(held);
    }
    if (displaced != null) {
      counts.handedOver();
      use(displaced, 1);
      close(displaced);
    }
  }

  private void close(HeldMapping held) {
    held.mapping().close();
    if (random.nextInt(8) == 0) {
      held.mapping().close();
      checkDead(held);
    }
  }

  private void checkDead(HeldMapping held) {
    Mapping mapping = held.mapping();
    try {
      if (held.reads()) {
        mapping.load(0, 1, ByteOrder.LITTLE_ENDIAN);
      } else {
        mapping.store(0, 1, ByteOrder.LITTLE_ENDIAN, 0);
      }
    } catch (MappingClosedException | MappingRevokedException _) {
      return;
    }
    throw held.window().failure(0, "a mapping was used after it had been closed");
  }

  private void use(HeldMapping held, int times) {
    try {
      for (int i = 0; i < times; i++) {
        useOnce(held);
        counts.accessed();
      }
    } catch (MappingRevokedException e) {
      counts.revoked();
      if (!held.requester().revocable()) {
        throw held.window().failure(0, "revoked, against the context's policy: " + e);
      }
    } catch (MappingClosedException e) {
      if (!held.shared()) {
        throw held.window().failure(0, "closed by nobody: " + e);
      }
    } catch (MemoryLostException e) {
      if (!held.window().isOver()) {
        throw held.window().failure(0, "lost, while the guest keeps it: " + e);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void useOnce(HeldMapping held) throws IOException {
    int whole = held.window().length();
    int skip = random.nextInt(whole);
    int length = 1 + random.nextInt(Math.min(whole - skip, 512));
    boolean write = held.writes() && (!held.reads() || random.nextBoolean());
    switch (random.nextInt(16)) {
      case 0 -> {
        if (random.nextInt(16) == 0) {
          throughFile(held, skip, length, write);
        }
      }
      case 1, 2, 3, 4, 5 -> scalar(held, skip, write);
      case 6 -> {
        if (held.writes()) {
          held.mapping().fill(skip, length, Stamp.ofRequester(held.requester().index()));
        }
      }
      default -> copy(held, skip, length, write);
    }
  }

  private void copy(HeldMapping held, int skip, int length, boolean write) {
    AccessWindow window = held.window();
    int at = window.start() + skip;
    if (write) {
      window.compose(buffer);
      held.mapping().write(skip, buffer, at, length);
    } else {
      held.mapping().read(skip, buffer, at, length);
      window.checkRead(buffer, skip, length);
    }
  }

  private void scalar(HeldMapping held, int skip, boolean write) {
    AccessWindow window = held.window();
    int bytes = SCALARS[random.nextInt(SCALARS.length)];
    if (skip + bytes > window.length()) {
      return;
    }
    if (write) {
      long value = window.deviceScalar(skip, bytes);
      held.mapping().store(skip, bytes, ByteOrder.LITTLE_ENDIAN, value);
    } else {
      window.checkScalar(skip, held.mapping().load(skip, bytes, ByteOrder.LITTLE_ENDIAN), bytes);
    }
  }

  /// Lets the kernel move the bytes.
  private void throughFile(HeldMapping held, int skip, int length, boolean write)
      throws IOException {
    AccessWindow window = held.window();
    int at = window.start() + skip;
    if (write) {
      window.compose(buffer);
      file.write(buffer.asSlice(at, length).asByteBuffer(), 0);
      held.mapping().readFrom(file, 0, skip, length);
    } else {
      int moved = held.mapping().writeTo(file, 0, skip, length);
      file.read(buffer.asSlice(at, moved).asByteBuffer(), 0);
      window.checkRead(buffer, skip, moved);
    }
    counts.throughFile();
  }
}
