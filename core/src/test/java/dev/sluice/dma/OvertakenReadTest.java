package dev.sluice.dma;

import static dev.sluice.dma.DmaMachine.PAGE;
import static dev.sluice.dma.DmaMachine.RAM;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.iommu.FakeIommu;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.Access;
import dev.sluice.memory.Bytes;
import dev.sluice.memory.Word;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/// Reads keep no invalidation waiting, so one may complete in the middle of a read: the guest has
/// given the page to somebody else by then, and none of the new owner's bytes may reach the device.
///
/// A guest moves a page around in RAM. As soon as an invalidation is complete, the page's old place
/// has a new owner, whose bytes are all [#SECRET].
class OvertakenReadTest {
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final byte SECRET = 0x5E;
  private static final byte OWN = 0x11;

  private final DmaMachine machine = new DmaMachine();
  private final AtomicBoolean stop = new AtomicBoolean();
  private final AtomicReference<Throwable> thrown = new AtomicReference<>();
  private final AtomicInteger reads = new AtomicInteger();

  private void give(long ramPage, byte whose) {
    machine.memory.fill(RAM + ramPage * PAGE, PAGE, whose);
  }

  /// @param moves how often it moves, each time after a read
  /// @param between whether the page is nowhere between two places
  private void moveAroundUnder(Runnable read, int moves, boolean between)
      throws InterruptedException {
    give(0, OWN);
    machine.map(0, 0);
    Thread device =
        Thread.ofPlatform()
            .start(() -> {
              try {
                while (!stop.get()) {
                  read.run();
                  reads.incrementAndGet();
                }
              } catch (Throwable e) {
                thrown.set(e);
              }
            });
    try {
      while (reads.get() == 0 && device.isAlive()) {
        Thread.onSpinWait();
      }
      for (int move = 0; move < moves && device.isAlive(); move++) {
        long from = move & 1;
        long to = 1 - from;
        machine.iommu.unmap(0);
        if (!between) {
          give(to, OWN);
          machine.map(0, to);
        }
        machine
            .iommu
            .invalidator()
            .invalidate(FakeIommu.TAG, 0, PAGE - 1, () -> give(from, SECRET));
        if (between) {
          give(to, OWN);
          machine.map(0, to);
        }
        int seen = reads.get();
        while (reads.get() == seen && device.isAlive()) {
          Thread.onSpinWait();
        }
      }
    } finally {
      stop.set(true);
      device.join();
    }
    assertThat(thrown.get()).isNull();
  }

  private static void noneIsSecret(MemorySegment bytes, String why) {
    for (long i = 0; i < bytes.byteSize(); i++) {
      if (bytes.get(ValueLayout.JAVA_BYTE, i) == SECRET) {
        throw new AssertionError("%s has byte %d of the new owner".formatted(why, i));
      }
    }
  }

  private Runnable reading(long length) {
    MemorySegment into = Bytes.zeros(length);
    return () -> {
      into.fill((byte) 0);
      TargetAbort abort = machine.dma.read(0, into, 0, length);
      noneIsSecret(into, abort == null ? "a read" : "a refused read");
    };
  }

  private Runnable loading() {
    Word word = new Word();
    return () -> {
      word.set(0);
      TargetAbort abort = machine.dma.load(8, 8, LITTLE, word);
      if ((byte) word.asLong() == SECRET) {
        throw new AssertionError("loaded 0x%x, %s".formatted(word.asLong(), abort));
      }
    };
  }

  @Test
  void aReadOfAPageIsRepeated() throws Exception {
    moveAroundUnder(reading(PAGE), 1_000, false);
  }

  @Test
  void aReadOfSomeBytesIsRepeated() throws Exception {
    moveAroundUnder(reading(64), 1_000, false);
  }

  @Test
  void aReadThatIsRefusedAtTheRepetitionLeavesNothing() throws Exception {
    moveAroundUnder(reading(PAGE), 1_000, true);
  }

  @Test
  void aLoadIsRepeated() throws Exception {
    moveAroundUnder(loading(), 1_000, false);
  }

  @Test
  void aLoadThatIsRefusedAtTheRepetitionLeavesNothing() throws Exception {
    moveAroundUnder(loading(), 1_000, true);
  }

  @Test
  void aReadOfAMappingIsRefusedWhenTheMappingWasTakenAwayInBetween() throws Exception {
    machine.dma.revocation(Revocation.immediately());
    MemorySegment into = Bytes.zeros(PAGE);
    Mapping mapping = machine.dma.newMapping();
    moveAroundUnder(
        () -> {
          if (machine.dma.map(0, PAGE, Access.READ, mapping) != null) {
            return;
          }
          try {
            for (int i = 0; i < 4; i++) {
              mapping.read(0, into, 0, PAGE);
              noneIsSecret(into, "a mapping");
            }
          } catch (MappingRevokedException e) {
            into.fill((byte) 0);
          } finally {
            mapping.close();
          }
        },
        200,
        true);
  }
}
