package dev.sluice.pci.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.iommu.Revocation;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.MessagePort;
import dev.sluice.memory.RamRegion;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Data and queues in memory that the peer did not share, and that only messages reach.
class GuestMemoryKindsTest {
  private static final int DATA_TRANSFER_ERROR = 0x004;
  private static final long REMOTE = 1L << 32;
  private static final int REMOTE_SIZE = 1 << 20;

  /// What the peer keeps, and whether it answers.
  private static final class Remote implements MessagePort {
    private final MemorySegment bytes = MemorySegment.ofArray(new byte[REMOTE_SIZE]);
    private volatile boolean answers = true;

    @Override
    public synchronized MemoryStatus read(
        long address, MemorySegment into, long offset, long length) {
      if (!answers) {
        return MemoryStatus.FAILED;
      }
      MemorySegment.copy(bytes, address - REMOTE, into, offset, length);
      return MemoryStatus.OK;
    }

    @Override
    public synchronized MemoryStatus write(
        long address, MemorySegment from, long offset, long length) {
      if (!answers) {
        return MemoryStatus.FAILED;
      }
      MemorySegment.copy(from, offset, bytes, address - REMOTE, length);
      return MemoryStatus.OK;
    }
  }

  @TempDir Path folder;
  private final Remote remote = new Remote();
  private byte[] content;
  private Path image;
  private ScriptedBackend backend;
  private NvmeGuest guest;

  @BeforeEach
  void start() throws IOException {
    content = new byte[2048 * 512];
    new SplittableRandom(7).nextBytes(content);
    image = folder.resolve("disk");
    Files.write(image, content);
    backend = new ScriptedBackend(image, true);
    guest = new NvmeGuest(backend).enable();
    guest.memory.addMessageOnly(REMOTE, REMOTE_SIZE, true, remote);
  }

  @AfterEach
  void stop() {
    backend.openGate();
    guest.close();
  }

  @Test
  void dataIsMovedThroughTheBounceBuffer() throws IOException {
    int length = 512 * 1024;
    Command read = Command.read(0, 1024, 0).sgl(REMOTE, length, 0);
    assertThat(guest.io(read).status()).isZero();
    byte[] seen = remote.bytes.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
    assertThat(seen).isEqualTo(Arrays.copyOf(content, length));
    assertThat(backend.bouncedTransfers).as("parts of 128 KiB").hasValue(4);

    remote.bytes.fill((byte) 0x77);
    assertThat(guest.io(Command.write(1024, 1024, 0).sgl(REMOTE, length, 0)).status()).isZero();
    byte[] after = Files.readAllBytes(image);
    assertThat(Arrays.copyOf(after, length)).isEqualTo(Arrays.copyOf(content, length));
    assertThat(Arrays.copyOfRange(after, length, 2 * length)).containsOnly(0x77);
  }

  @Test
  void aPeerThatDoesNotAnswerIsATransferError() {
    remote.answers = false;

    assertThat(guest.io(Command.read(0, 1, REMOTE)).status()).isEqualTo(DATA_TRANSFER_ERROR);
    assertThat(guest.io(Command.write(0, 1, REMOTE)).status()).isEqualTo(DATA_TRANSFER_ERROR);
  }

  @Test
  void queuesMayBeThereToo() {
    assertThat(guest.admin(Command.createCompletionQueue(1, 8, 1, REMOTE)).status()).isZero();
    assertThat(guest.admin(Command.createSubmissionQueue(1, 8, 1, REMOTE + 4096)).status())
        .isZero();
    guest.poke(REMOTE + 4096, Command.flush().id(0x55).bytes());
    guest.registers.write(0x1008, 4, 1);

    guest.interrupts.await(() -> guest.interrupts.count(1) == 1);
    assertThat(guest.peekLong(REMOTE + 8)).isEqualTo(1L << 48 | 0x55L << 32 | 1 << 16 | 1);
  }

  @Test
  void memoryThatIsTakenAwayUnderACommandIsATransferError() throws InterruptedException {
    long lent = 2L << 32;
    guest.memory.addRam(lent, RamRegion.allocate(4096));
    guest.dma().revocation(Revocation.immediately());
    NvmeGuest.Queue queue = guest.createQueues(1, 8);
    CountDownLatch gate = backend.shutGate();
    queue.put(Command.read(0, 8, lent));
    queue.ringTail();
    backend.entered.acquire();
    CountDownLatch drained = new CountDownLatch(1);

    assertThat(guest.memory.remove(lent, lent + 4095, drained::countDown)).isEqualTo(1);
    drained.await();
    gate.countDown();

    assertThat(queue.next().status()).isEqualTo(DATA_TRANSFER_ERROR);
  }

  @Test
  void memoryIsTakenAwayOnlyAfterTheCommandThatUsesItWhenThereIsTime() throws InterruptedException {
    long lent = 2L << 32;
    guest.memory.addRam(lent, RamRegion.allocate(4096));
    guest.dma().revocation(Revocation.never());
    NvmeGuest.Queue queue = guest.createQueues(1, 8);
    CountDownLatch gate = backend.shutGate();
    queue.put(Command.read(0, 8, lent));
    queue.ringTail();
    backend.entered.acquire();
    CountDownLatch drained = new CountDownLatch(1);

    assertThat(guest.memory.remove(lent, lent + 4095, drained::countDown)).isEqualTo(1);
    assertThat(drained.getCount()).as("still in use").isEqualTo(1);
    gate.countDown();

    assertThat(queue.next().status()).isZero();
    drained.await();
  }
}
