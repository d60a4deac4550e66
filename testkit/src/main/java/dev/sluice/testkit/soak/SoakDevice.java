package dev.sluice.testkit.soak;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.ScatterGatherList;
import dev.sluice.dma.TargetAbort;
import dev.sluice.memory.Access;
import dev.sluice.memory.Word;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/// One thread of a device: every kind of access, at random, each checked against the shadow.
final class SoakDevice {
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final int RUNS = 4;

  private final List<Requester> requesters;
  private int home;
  private final SplittableRandom random;
  private final MemorySegment buffer;
  private final DeviceCounts counts = new DeviceCounts();
  private final DeviceMappings mappings;
  private final AccessWindow window = new AccessWindow();
  private final AccessWindow[] parts = new AccessWindow[RUNS];
  private final ScatterGatherList list = new ScatterGatherList();
  private final Word word = new Word();

  /// @param home index of the requester that it is a thread of at first; it helps others out now
  ///   and then
  /// @param buffer of [AccessWindow#BUFFER] bytes
  /// @param file of its own
  SoakDevice(
      List<Requester> requesters,
      int home,
      SplittableRandom random,
      MemorySegment buffer,
      FileChannel file,
      MappingExchange exchange) {
    this.requesters = requesters;
    this.home = home % requesters.size();
    this.random = random;
    this.buffer = buffer;
    mappings = new DeviceMappings(exchange, random, buffer, file, counts);
    for (int i = 0; i < RUNS; i++) {
      parts[i] = new AccessWindow();
    }
  }

  DeviceCounts counts() {
    return counts;
  }

  /// Makes it a thread of the next requester.
  void moveOn() {
    home = (home + 1) % requesters.size();
  }

  /// One access or a few.
  void work() {
    int which = random.nextInt(4) == 0 ? random.nextInt(requesters.size()) : home;
    Requester by = requesters.get(which);
    int choice = random.nextInt(256);
    if (choice < 76) {
      read(by);
    } else if (choice < 116) {
      write(by);
    } else if (choice < 128) {
      fill(by);
    } else if (choice < 160) {
      load(by);
    } else if (choice < 192) {
      store(by);
    } else if (choice < 208) {
      fetchAndAdd(by);
    } else if (choice < 220) {
      compareAndExchange(by);
    } else if (choice < 236) {
      SlotRun run = by.anyRun(random);
      int offset = offset(run);
      mappings.map(by, run, offset, length(run, offset));
    } else if (choice < 240) {
      mappings.takeOver();
    } else if (choice < 246) {
      scatterGather(by);
    } else if (choice < 252) {
      writeAndReadAgain(by);
    } else {
      check(by);
    }
    counts.accessed();
  }

  // --- where

  private int offset(SlotRun run) {
    int pages = run.slots().size();
    int page = random.nextBoolean() ? random.nextInt(Math.min(2, pages)) : random.nextInt(pages);
    return page * Stamp.PAGE + random.nextInt(Stamp.PAGE);
  }

  private int length(SlotRun run, int offset) {
    int most =
        switch (random.nextInt(32)) {
          case 0 -> (AccessWindow.PAGES - 2) * Stamp.PAGE;
          case 1, 2, 3 -> Stamp.PAGE;
          case 4, 5, 6, 7, 8, 9, 10 -> 512;
          default -> 64;
        };
    return Math.min(1 + random.nextInt(most), run.bytes() - offset);
  }

  private void judge(@Nullable TargetAbort abort, Access access) {
    window.close();
    if (!window.judge(abort, access)) {
      counts.refused();
    }
  }

  // --- copies

  private void read(Requester by) {
    SlotRun run = by.anyRun(random);
    int offset = offset(run);
    int length = length(run, offset);
    window.open(by, run, offset, length, "read");
    boolean clean = random.nextInt(4) == 0;
    if (clean) {
      buffer.asSlice(window.start(), length).fill((byte) 0);
    }
    TargetAbort abort = by.dma().read(window.iova(), buffer, window.start(), length);
    judge(abort, Access.READ);
    int moved = abort == null ? length : (int) abort.bytesMoved();
    window.checkRead(buffer, 0, moved);
    if (clean) {
      window.checkNotMoved(buffer, moved);
    }
  }

  private void write(Requester by) {
    SlotRun run = by.dataRun(random);
    int offset = offset(run);
    int length = length(run, offset);
    window.open(by, run, offset, length, "write");
    window.compose(buffer);
    judge(by.dma().write(window.iova(), buffer, window.start(), length), Access.WRITE);
  }

  private void fill(Requester by) {
    SlotRun run = by.dataRun(random);
    int offset = offset(run);
    int length = length(run, offset);
    window.open(by, run, offset, length, "fill");
    byte value = Stamp.ofRequester(by.index());
    judge(by.dma().fill(window.iova(), length, value), Access.WRITE);
  }

  private void writeAndReadAgain(Requester by) {
    SlotRun run = by.dataRun(random);
    int offset = offset(run);
    int length = Math.min(64, length(run, offset));
    window.open(by, run, offset, length, "write and read again");
    window.compose(buffer);
    DmaContext dma = by.dma();
    boolean done =
        dma.write(window.iova(), buffer, window.start(), length) == null
            && dma.read(window.iova(), buffer, window.start(), length) == null;
    window.close();
    if (done && window.still()) {
      window.checkWritten(buffer);
    }
  }

  private void check(Requester by) {
    SlotRun run = by.anyRun(random);
    int offset = offset(run);
    int length = length(run, offset);
    Access access = Requester.anyAccess(random);
    window.open(by, run, offset, length, "check");
    judge(by.dma().check(window.iova(), length, access), access);
  }

  private void scatterGather(Requester by) {
    int runs = 1 + random.nextInt(RUNS);
    list.clear();
    boolean write = random.nextBoolean();
    for (int i = 0; i < runs; i++) {
      SlotRun run = write ? by.dataRun(random) : by.anyRun(random);
      int offset = offset(run);
      int length = Math.min(length(run, offset), 256);
      parts[i].open(by, run, offset, length, "scatter-gather");
      list.add(parts[i].iova(), length);
    }
    int total = (int) list.totalLength();
    if (write) {
      // One byte value: the runs' bytes stand one after the other, whatever their alignment.
      buffer.asSlice(0, total).fill(Stamp.ofRequester(by.index()));
    }
    TargetAbort abort =
        write
            ? by.dma().write(list, 0, buffer, 0, total)
            : by.dma().read(list, 0, buffer, 0, total);
    int moved = abort == null ? total : (int) abort.bytesMoved();
    if (abort != null) {
      counts.refused();
    }
    int done = 0;
    for (int i = 0; i < runs; i++) {
      AccessWindow part = parts[i];
      part.close();
      int here = Math.clamp(moved - done, 0, part.length());
      part.checkAllowed(here, write ? Access.WRITE : Access.READ);
      if (!write) {
        part.checkPacked(buffer, done, here);
      }
      done += part.length();
    }
  }

  // --- scalars

  private void load(Requester by) {
    SlotRun run = by.anyRun(random);
    int bytes = 1 << random.nextInt(4);
    int offset = scalarOffset(run, bytes);
    window.open(by, run, offset, bytes, "load");
    TargetAbort abort = by.dma().load(window.iova(), bytes, LITTLE, word);
    judge(abort, Access.READ);
    if (abort == null) {
      window.checkScalar(0, word.asLong(), bytes);
    }
  }

  private void store(Requester by) {
    SlotRun run = by.dataRun(random);
    int bytes = 1 << random.nextInt(4);
    int offset = scalarOffset(run, bytes);
    window.open(by, run, offset, bytes, "store");
    long value = window.deviceScalar(0, bytes);
    if (random.nextBoolean()) {
      judge(by.dma().store(window.iova(), bytes, LITTLE, value), Access.WRITE);
    } else {
      long big = Long.reverseBytes(value) >>> (64 - 8 * bytes);
      judge(by.dma().store(window.iova(), bytes, ByteOrder.BIG_ENDIAN, big), Access.WRITE);
    }
  }

  /// Mostly aligned; now and then anywhere, across pages too.
  private int scalarOffset(SlotRun run, int bytes) {
    int offset = offset(run);
    return random.nextInt(8) == 0 ? Math.min(offset, run.bytes() - bytes) : offset & -bytes;
  }

  private void fetchAndAdd(Requester by) {
    SlotRun run = by.runs().getLast();
    if (!run.counters()) {
      load(by);
      return;
    }
    int bytes = random.nextBoolean() ? 4 : 8;
    window.open(by, run, offset(run) & -Long.BYTES, bytes, "fetch and add");
    TargetAbort abort = by.dma().fetchAndAdd(window.iova(), bytes, LITTLE, 1, word);
    judge(abort, Access.READ_WRITE);
    if (abort == null) {
      counts.incremented();
      window.checkScalar(0, word.asLong(), bytes);
    }
  }

  private void compareAndExchange(Requester by) {
    SlotRun run = by.runs().getLast();
    int bytes = random.nextBoolean() ? 4 : 8;
    window.open(by, run, offset(run) & -Long.BYTES, bytes, "compare and exchange");
    if (by.dma().load(window.iova(), bytes, LITTLE, word) != null) {
      return;
    }
    long expected = word.asLong();
    long desired = run.counters() ? expected + 1 : window.deviceScalar(0, bytes);
    TargetAbort abort =
        by.dma().compareAndExchange(window.iova(), bytes, LITTLE, expected, desired, word);
    judge(abort, Access.READ_WRITE);
    if (abort == null) {
      window.checkScalar(0, word.asLong(), bytes);
      if (run.counters() && word.asLong() == expected) {
        counts.incremented();
      }
    }
  }
}
