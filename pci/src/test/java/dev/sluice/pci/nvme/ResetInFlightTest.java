package dev.sluice.pci.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A reset while commands are under way: once the guest sees CSTS.RDY = 0, its memory is its own
/// again.
class ResetInFlightTest {
  private static final int RDY = 1;

  @TempDir Path folder;
  private ScriptedBackend backend;
  private NvmeGuest guest;

  @BeforeEach
  void start() throws IOException {
    byte[] content = new byte[1 << 20];
    Arrays.fill(content, (byte) 0x5a);
    Path image = folder.resolve("disk");
    Files.write(image, content);
    backend = new ScriptedBackend(image, true);
    guest = new NvmeGuest(backend).enable();
  }

  @AfterEach
  void stop() {
    backend.openGate();
    guest.close();
  }

  @Test
  void readyStaysUntilTheCommandsUnderWayHaveEnded() throws InterruptedException {
    NvmeGuest.Queue queue = guest.createQueues(1, 8);
    long data = guest.pages(1);
    CountDownLatch gate = backend.shutGate();
    queue.put(Command.read(0, 8, data));
    queue.ringTail();
    backend.entered.acquire();

    guest.configure(NvmeGuest.ENABLE & ~1);
    for (int i = 0; i < 1000; i++) {
      assertThat(guest.status() & RDY).isEqualTo(RDY);
    }
    assertThat(guest.peek(data, 4096)).containsOnly(0);
    gate.countDown();

    guest.awaitStatus(RDY, 0);
    assertThat(queue.poll()).as("a result of the old run").isNull();
    assertThat(guest.interrupts.count(1)).isZero();
  }

  @Test
  void enablingBeforeTheResetIsOverStartsAFreshRunAfterIt() throws InterruptedException {
    NvmeGuest.Queue queue = guest.createQueues(1, 8);
    CountDownLatch gate = backend.shutGate();
    queue.put(Command.read(0, 8, guest.pages(1)));
    queue.ringTail();
    backend.entered.acquire();
    guest.configure(NvmeGuest.ENABLE & ~1);
    NvmeGuest.Queue admin = guest.programAdminQueue();
    guest.configure(NvmeGuest.ENABLE);
    gate.countDown();

    while (guest.controller.statistics().resets() < 1) {
      Thread.onSpinWait();
    }
    guest.awaitStatus(RDY, RDY);
    assertThat(admin.run(Command.identify(1, 0, guest.pages(1))).status()).isZero();
    assertThat(queue.poll()).isNull();
    // The queue of the old run is gone: its doorbell is one of no queue.
    queue.ringTail();
    admin.run(Command.logPage(1, 64, guest.pages(1)));
    assertThat(admin.run(new Command(0x00).dword(10, 1)).status()).isEqualTo(0x101);
  }

  @Test
  void nothingIsWrittenAfterAResetWasSeen() {
    SplittableRandom random = new SplittableRandom(99);
    for (int round = 0; round < 150; round++) {
      NvmeGuest.Queue[] queues = new NvmeGuest.Queue[3];
      long data = guest.pages(16);
      for (int i = 0; i < queues.length; i++) {
        queues[i] = guest.createQueues(i + 1, 32);
        for (int j = 0; j < 20; j++) {
          long page = data + 4096L * random.nextInt(16);
          queues[i].put(Command.read(random.nextInt(1000), 8, page).id(j));
        }
      }
      for (NvmeGuest.Queue queue : queues) {
        queue.ringTail();
      }
      for (int spin = random.nextInt(3000); spin > 0; spin--) {
        Thread.onSpinWait();
      }

      if (random.nextBoolean()) {
        guest.disable();
      } else {
        guest.resetFunction();
        guest.controller.config().write(0x04, 2, 0b110);
      }
      guest.memory.fill(data, 16 * 4096, (byte) 0);
      for (NvmeGuest.Queue queue : queues) {
        guest.memory.fill(queue.completions, 4096, (byte) 0);
      }
      guest.enable();
      assertThat(guest.admin(Command.identify(1, 0, guest.pages(1))).status()).isZero();
      assertThat(guest.peek(data, 16 * 4096)).as("round %d", round).containsOnly(0);
      for (NvmeGuest.Queue queue : queues) {
        assertThat(guest.peek(queue.completions, 4096)).as("round %d", round).containsOnly(0);
      }
      guest.reusePages();
    }
    assertThat(guest.controller.statistics().resets()).isEqualTo(150);
  }

  @Test
  void togglingEnableQuicklyEndsInTheLastStateThatWasWritten() {
    for (int i = 0; i < 2000; i++) {
      guest.configure(i % 2 == 0 ? 0 : NvmeGuest.ENABLE);
    }

    guest.awaitStatus(0b11, 1);
    guest.configure(0);
    guest.awaitStatus(0b11, 0);
  }
}
