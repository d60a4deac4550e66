package dev.sluice.pci.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Registers, enabling, reset, shutdown, fatal status (NVMe 1.4, 3.1 and 7.3 to 7.6).
class LifecycleTest {
  private static final int RDY = 1;
  private static final int CFS = 1 << 1;
  private static final int SHST = 0b11 << 2;
  private static final int SHST_COMPLETE = 0b10 << 2;
  private static final int SHN_NORMAL = 1 << 14;

  @TempDir Path folder;
  private ScriptedBackend backend;
  private NvmeGuest guest;

  @BeforeEach
  void start() throws IOException {
    Path image = folder.resolve("disk");
    Files.write(image, new byte[1 << 20]);
    backend = new ScriptedBackend(image, true);
    guest = new NvmeGuest(backend);
  }

  @AfterEach
  void stop() {
    backend.openGate();
    guest.close();
  }

  @Test
  void capabilitiesSayWhatTheSpecificationAsksFor() {
    long capabilities = guest.registers.read(0, 8);

    assertThat(capabilities & 0xffff).as("MQES").isEqualTo(1023);
    assertThat(capabilities >>> 16 & 1).as("CQR").isEqualTo(1);
    assertThat(capabilities >>> 24 & 0xff).as("TO").isEqualTo(60);
    assertThat(capabilities >>> 32 & 0xf).as("DSTRD").isZero();
    assertThat(capabilities >>> 37 & 0xff).as("CSS").isEqualTo(1);
    assertThat(capabilities >>> 48 & 0xf).as("MPSMIN").isZero();
    assertThat(capabilities >>> 52 & 0xf).as("MPSMAX").isEqualTo(4);
    assertThat(guest.registers.read(8, 4)).as("VS").isEqualTo(0x10400);
  }

  @Test
  void aRegisterReadsTheSameInAnySize() {
    long whole = guest.registers.read(0, 8);

    long high = guest.registers.read(4, 4);
    assertThat(high << 32 | guest.registers.read(0, 4)).isEqualTo(whole);
    assertThat(guest.registers.read(2, 1)).isEqualTo(whole >>> 16 & 0xff);
    assertThat(guest.registers.read(3, 2)).isEqualTo(whole >>> 24 & 0xffff);
  }

  @Test
  void queueAddressesKeepWhatIsWrittenWithoutTheirReservedBits() {
    guest.registers.write(0x28, 4, 0x1234_5fff);
    guest.registers.write(0x2c, 4, 0x89ab_cdef);
    guest.registers.write(0x30, 8, 0x1111_2222_3333_4444L);
    guest.registers.write(0x24, 4, 0xffff_ffff);

    assertThat(guest.registers.read(0x28, 8)).isEqualTo(0x89ab_cdef_1234_5000L);
    assertThat(guest.registers.read(0x30, 8)).isEqualTo(0x1111_2222_3333_4000L);
    assertThat(guest.registers.read(0x24, 4)).isEqualTo(0x0fff_0fff);
  }

  @Test
  void writesOfOddSizeOrAlignmentAreIgnored() {
    guest.registers.write(0x24, 1, 0xff);
    guest.registers.write(0x24, 2, 0xffff);
    guest.registers.write(0x26, 4, 0xffff_ffff);

    assertThat(guest.registers.read(0x24, 4)).isZero();
  }

  @Test
  void interruptMaskIsSetAndClearedByItsTwoRegisters() {
    guest.registers.write(0x0c, 4, 0b1101);
    guest.registers.write(0x10, 4, 0b0100);

    assertThat(guest.registers.read(0x0c, 4)).isEqualTo(0b1001);
    assertThat(guest.registers.read(0x10, 4)).isEqualTo(0b1001);
  }

  @Test
  void readOnlyAndAbsentRegistersIgnoreWrites() {
    long capabilities = guest.registers.read(0, 8);
    guest.registers.write(0, 8, 0);
    guest.registers.write(0x1c, 4, -1);
    guest.registers.write(0x20, 4, 0x4e56_4d65);
    guest.registers.write(0xf00, 4, -1);

    assertThat(guest.registers.read(0, 8)).isEqualTo(capabilities);
    assertThat(guest.status()).isZero();
    assertThat(guest.registers.read(0x20, 4)).as("no NVM subsystem reset").isZero();
    assertThat(guest.registers.read(0xf00, 4)).isZero();
  }

  @Test
  void becomesReadyWhenEnabledAndNotReadyWhenDisabled() {
    guest.enable();
    assertThat(guest.status()).isEqualTo(RDY);

    guest.disable();
    assertThat(guest.status()).isZero();
    assertThat(guest.registers.read(0x24, 4)).as("AQA after a controller reset").isNotZero();
  }

  @Test
  void canBeEnabledAgainAfterEachReset() {
    for (int i = 0; i < 20; i++) {
      guest.enable();
      assertThat(guest.admin(Command.identify(1, 0, guest.pages(1))).status()).isZero();
      guest.disable();
    }

    assertThat(guest.controller.statistics().resets()).isEqualTo(20);
  }

  @ParameterizedTest
  @ValueSource(
      ints = {
        NvmeGuest.ENABLE | 5 << 7, // a page of 128 KiB, above MPSMAX
        NvmeGuest.ENABLE | 1 << 4, // a command set that CAP.CSS lacks
        NvmeGuest.ENABLE | 1 << 11 // weighted round robin, which CAP.AMS lacks
      })
  void unsupportedConfigurationIsFatal(int configuration) {
    guest.programAdminQueue();
    guest.configure(configuration);

    guest.awaitStatus(CFS | RDY, CFS);
    guest.configure(0);
    guest.awaitStatus(CFS, 0);
    guest.enable();
  }

  @Test
  void adminQueueOfOneEntryIsFatal() {
    guest.programAdminQueue();
    guest.registers.write(0x24, 4, 15);
    guest.configure(NvmeGuest.ENABLE);

    guest.awaitStatus(CFS | RDY, CFS);
  }

  @Test
  void adminQueueThatDoesNotStartAPageIsFatal() {
    guest.programAdminQueue();
    guest.configure(NvmeGuest.ENABLE | 4 << 7);
    long submissions = guest.registers.read(0x28, 8);
    assertThat(submissions % 65536).as("the test's queue is not aligned to 64 KiB").isNotZero();

    guest.awaitStatus(CFS | RDY, CFS);
  }

  @Test
  void adminQueueWithoutMemoryIsFatalOnceItIsUsed() {
    guest.programAdminQueue();
    guest.registers.write(0x28, 8, NvmeGuest.RAM);
    guest.configure(NvmeGuest.ENABLE);
    guest.awaitStatus(RDY, RDY);

    guest.registers.write(0x1000, 4, 1);

    guest.awaitStatus(CFS, CFS);
    guest.disable();
    guest.enable();
    assertThat(guest.admin(Command.identify(1, 0, guest.pages(1))).status()).isZero();
  }

  @Test
  void completionQueueWithoutMemoryIsFatalOnceItIsUsed() {
    guest.programAdminQueue();
    guest.registers.write(0x30, 8, NvmeGuest.RAM);
    guest.configure(NvmeGuest.ENABLE);
    guest.awaitStatus(RDY, RDY);

    guest.admin().put(Command.identify(1, 0, guest.pages(1)));
    guest.admin().ringTail();

    guest.awaitStatus(CFS, CFS);
  }

  @Test
  void withoutBusMasteringTheQueuesCannotBeReached() {
    guest.enable();
    guest.controller.config().write(0x04, 2, 0b010);

    guest.admin().put(Command.identify(1, 0, guest.pages(1)));
    guest.admin().ringTail();

    guest.awaitStatus(CFS, CFS);
  }

  @Test
  void shutdownFlushesBeforeItSaysThatItIsComplete() {
    guest.enable();
    guest.configure(NvmeGuest.ENABLE | SHN_NORMAL);

    guest.awaitStatus(SHST, SHST_COMPLETE);
    assertThat(backend.flushes).hasValue(1);
    assertThat(guest.status() & CFS).isZero();
  }

  @Test
  void shutdownWhoseFlushFailsIsFatalAndNeverComplete() {
    backend.failFlushes();
    guest.enable();
    guest.configure(NvmeGuest.ENABLE | SHN_NORMAL);

    guest.awaitStatus(CFS, CFS);
    assertThat(guest.status() & SHST).isNotEqualTo(SHST_COMPLETE);
  }

  @Test
  void shutdownWaitsForCommandsThatAreUnderWay() throws InterruptedException {
    guest.enable();
    NvmeGuest.Queue queue = guest.createQueues(1, 8);
    CountDownLatch gate = backend.shutGate();
    queue.put(Command.write(0, 1, guest.pages(1)));
    queue.ringTail();
    backend.entered.acquire();

    guest.configure(NvmeGuest.ENABLE | SHN_NORMAL);
    assertThat(guest.status() & SHST).as("SHST occurring").isEqualTo(0b01 << 2);
    assertThat(backend.flushes).hasValue(0);
    gate.countDown();

    guest.awaitStatus(SHST, SHST_COMPLETE);
    assertThat(backend.flushes).hasValue(1);
  }

  @Test
  void aControllerThatWasShutDownWorksAgainAfterAReset() {
    guest.enable();
    guest.configure(NvmeGuest.ENABLE | SHN_NORMAL);
    guest.awaitStatus(SHST, SHST_COMPLETE);

    guest.disable();
    assertThat(guest.status()).isZero();
    guest.enable();
    assertThat(guest.admin(Command.identify(1, 0, guest.pages(1))).status()).isZero();
  }

  @Test
  void shutdownOfADisabledControllerIsCompleteToo() {
    guest.configure(SHN_NORMAL);

    guest.awaitStatus(SHST, SHST_COMPLETE);
  }

  @Test
  void resetFromOutsideClearsTheRegistersAndTheConfigurationSpace() {
    guest.enable();
    guest.registers.write(0x0c, 4, 1);

    guest.resetFunction();

    assertThat(guest.status()).isZero();
    assertThat(guest.registers.read(0x14, 4)).as("CC").isZero();
    assertThat(guest.registers.read(0x24, 4)).as("AQA").isZero();
    assertThat(guest.registers.read(0x28, 8)).as("ASQ").isZero();
    assertThat(guest.registers.read(0x0c, 4)).as("INTMS").isZero();
    assertThat(guest.controller.config().command().bits()).as("COMMAND").isZero();
  }

  @Test
  void resetFromOutsideIsCompleteOnlyWhenCommandsHaveEnded() throws InterruptedException {
    guest.enable();
    NvmeGuest.Queue queue = guest.createQueues(1, 8);
    CountDownLatch gate = backend.shutGate();
    queue.put(Command.write(0, 1, guest.pages(1)));
    queue.ringTail();
    backend.entered.acquire();
    CountDownLatch done = new CountDownLatch(1);
    AtomicBoolean released = new AtomicBoolean();
    AtomicBoolean early = new AtomicBoolean();

    guest.controller.reset(() -> {
      early.set(!released.get());
      done.countDown();
    });
    assertThat(guest.status() & RDY).as("still ready").isEqualTo(RDY);
    released.set(true);
    gate.countDown();

    done.await();
    assertThat(early).isFalse();
    assertThat(guest.status()).isZero();
    assertThat(queue.poll()).as("a result after the reset").isNull();
  }

  @Test
  void doorbellsOfADisabledControllerDoNothing() {
    guest.registers.write(0x1000, 4, 5);
    guest.registers.write(0x1008, 4, 5);

    assertThat(guest.status()).isZero();
    guest.enable();
    assertThat(guest.admin(Command.identify(1, 0, guest.pages(1))).status()).isZero();
  }

  @Test
  void disconnectingEndsTheRunAndAnotherHostCanBeConnected() throws InterruptedException {
    guest.enable();
    CountDownLatch done = new CountDownLatch(1);
    guest.controller.disconnect(done::countDown);
    done.await();
    assertThat(guest.status()).isZero();

    guest.controller.connect(guest);
    guest.controller.config().write(0x04, 2, 0b110);
    guest.enable();
    assertThat(guest.admin(Command.identify(1, 0, guest.pages(1))).status()).isZero();
  }

  @Test
  void connectingTwiceIsRefused() {
    assertThatThrownBy(() -> guest.controller.connect(guest))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void closingEndsEveryThreadAndTheBackend() {
    guest.enable();
    assertThat(controllerThreads()).hasSize(4);

    guest.controller.close();

    assertThat(controllerThreads()).isEmpty();
    assertThat(backend.closed()).isTrue();
    guest.resetFunction();
    guest.controller.close();
  }

  @Test
  void closingWaitsForCommandsThatAreUnderWay() throws InterruptedException {
    guest.enable();
    NvmeGuest.Queue queue = guest.createQueues(1, 8);
    CountDownLatch gate = backend.shutGate();
    queue.put(Command.write(0, 1, guest.pages(1)));
    queue.ringTail();
    backend.entered.acquire();
    Thread closer = Thread.ofPlatform().start(guest.controller::close);
    while (guest.registers.read(0x14, 4) != 0) {
      Thread.onSpinWait();
    }
    assertThat(backend.closed()).isFalse();

    gate.countDown();
    closer.join();

    assertThat(backend.closed()).isTrue();
  }

  @Test
  void aHostThatFailsCostsTheRunAndNoThread() {
    guest.enable();
    NvmeGuest.Queue queue = guest.createQueues(1, 8);
    guest.interrupts.breakVector(1);
    queue.put(Command.flush());
    queue.ringTail();
    guest.awaitStatus(CFS, CFS);
    guest.disable();

    guest.enable();
    guest.interrupts.breakVector(0);
    guest.admin().put(Command.getFeature(6));
    guest.admin().ringTail();
    guest.awaitStatus(CFS, CFS);
    guest.interrupts.breakVector(-1);
    guest.disable();

    guest.enable();
    assertThat(guest.admin(Command.identify(1, 0, guest.pages(1))).status()).isZero();
    assertThat(controllerThreads()).hasSize(4);
  }

  @Test
  void aBackendWithoutAWholeBlockIsRefused() throws IOException {
    Path tiny = folder.resolve("tiny");
    Files.write(tiny, new byte[511]);
    try (FileBackend file = FileBackend.open(tiny, true)) {
      assertThatThrownBy(() -> new NvmeController(NvmeConfig.of("TINY"), file))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("511");
    }
  }

  private static Set<String> controllerThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith("nvme-TEST-"))
        .collect(Collectors.toSet());
  }
}
