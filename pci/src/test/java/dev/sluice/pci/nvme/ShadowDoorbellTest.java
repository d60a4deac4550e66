package dev.sluice.pci.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.MessagePort;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Doorbell Buffer Config (NVMe 1.4, 5.7), with a driver that rings as Linux's does: only when
/// EventIdx asks for it.
class ShadowDoorbellTest {
  private static final int INVALID_FIELD = 0x002;
  private static final int DATA_TRANSFER_ERROR = 0x004;
  private static final int CFS = 1 << 1;

  @TempDir Path folder;
  private ScriptedBackend backend;
  private NvmeGuest guest;
  private long shadows;
  private long events;

  @BeforeEach
  void start() throws IOException {
    Path image = folder.resolve("disk");
    Files.write(image, new byte[1 << 20]);
    backend = new ScriptedBackend(image, true);
    guest = new NvmeGuest(backend).enable();
    shadows = guest.pages(1);
    events = guest.pages(1);
  }

  @AfterEach
  void stop() {
    backend.openGate();
    guest.close();
  }

  private void configure() {
    assertThat(guest.admin(Command.doorbellBuffers(shadows, events)).status()).isZero();
  }

  /// A guest's side of a pair of queues with shadow doorbells.
  private final class Driver {
    private final NvmeGuest.Queue queue;
    private int tail;
    private int head;
    private int rung;
    private int nextId;

    Driver(NvmeGuest.Queue queue) {
      this.queue = queue;
    }

    /// Puts a command, and rings if the controller asks for it.
    int submit(Command command) {
      int id = nextId++ & 0x7fff;
      queue.put(command.id(id));
      int old = tail;
      tail = (tail + 1) % queue.entries;
      move(8L * queue.id, old, tail);
      return id;
    }

    Completion take() {
      Completion completion = queue.next();
      int old = head;
      head = (head + 1) % queue.entries;
      move(8L * queue.id + 4, old, head);
      return completion;
    }

    private void move(long offset, int old, int now) {
      store(shadows + offset, now);
      VarHandle.fullFence();
      int event = guest.peekInt(events + offset);
      if (((now - event - 1) & 0xffff) < ((now - old) & 0xffff)) {
        rung++;
        guest.registers.write(0x1000 + offset, 4, now);
      }
    }
  }

  private void store(long address, int value) {
    guest.memory.store(address, 4, ByteOrder.LITTLE_ENDIAN, value);
  }

  @Test
  void buffersHaveToBeginAtPages() {
    assertThat(guest.admin(Command.doorbellBuffers(shadows + 8, events)).status())
        .isEqualTo(INVALID_FIELD);
    assertThat(guest.admin(Command.doorbellBuffers(shadows, events + 2048)).status())
        .isEqualTo(INVALID_FIELD);
  }

  @Test
  void buffersThatCannotBeReachedLeaveTheRegistersInUse() {
    guest.createQueues(1, 16);

    assertThat(guest.admin(Command.doorbellBuffers(shadows, NvmeGuest.RAM)).status())
        .isEqualTo(DATA_TRANSFER_ERROR);

    assertThat(guest.io(Command.flush()).status()).isZero();
  }

  @Test
  void aQueueThatExistsBeginsWhereItIs() {
    NvmeGuest.Queue queue = guest.createQueues(1, 16);
    for (int i = 0; i < 3; i++) {
      queue.run(Command.flush());
    }
    store(shadows + 8, 0xdead);

    configure();

    assertThat(guest.peekInt(shadows + 8)).isEqualTo(3);
    assertThat(guest.peekInt(shadows + 12)).isEqualTo(3);
    assertThat(guest.peekInt(events + 8)).isEqualTo(3);
    assertThat(guest.peekInt(events + 12)).isEqualTo(3);
    assertThat(guest.peekInt(shadows)).as("the admin queue's is not touched").isZero();
  }

  @Test
  void aQueueThatComesLaterBeginsAtZero() {
    configure();
    store(shadows + 8, 0xdead);
    store(events + 12, 0xdead);

    Driver driver = new Driver(guest.createQueues(1, 16));

    assertThat(guest.peekInt(shadows + 8)).isZero();
    assertThat(guest.peekInt(events + 12)).isZero();
    int id = driver.submit(Command.flush());
    assertThat(driver.take().commandId()).isEqualTo(id);
  }

  @Test
  void theAdminQueueKeepsItsRegisters() {
    configure();

    for (int i = 0; i < 100; i++) {
      assertThat(guest.admin(Command.identify(1, 0, guest.pages(0))).status()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 15})
  void everySubmissionIsSeenHoweverItFallsBetweenLookAndSleep(int depth) {
    configure();
    Driver driver = new Driver(guest.createQueues(1, 16));
    SplittableRandom random = new SplittableRandom(depth);
    Set<Integer> under = new HashSet<>();
    long data = guest.pages(1);
    for (int i = 0; i < 20_000; i++) {
      while (under.size() < depth) {
        under.add(driver.submit(Command.read(i % 100, 1, data)));
        pause(random);
      }
      Completion completion = driver.take();
      assertThat(completion.status()).isZero();
      assertThat(under.remove(completion.commandId())).isTrue();
    }
  }

  /// From nothing to a few times as long as a worker lingers.
  private static void pause(SplittableRandom random) {
    if (random.nextInt(16) == 0) {
      for (int spin = random.nextInt(1 << random.nextInt(16)); spin > 0; spin--) {
        Thread.onSpinWait();
      }
    }
  }

  /// So slow a guest, with so much under way, that the worker naps between its looks.
  @Test
  void everySubmissionIsSeenWhileTheWorkerNaps() {
    configure();
    Driver driver = new Driver(guest.createQueues(1, 16));
    Set<Integer> under = new HashSet<>();
    long data = guest.pages(1);
    for (int i = 0; i < 5_000; i++) {
      while (under.size() < 15) {
        under.add(driver.submit(Command.read(i % 100, 1, data)));
        work(30_000);
      }
      assertThat(under.remove(driver.take().commandId())).isTrue();
    }
  }

  @Test
  void aQueueThatRingsIsServedWhileTheWorkerNapsForAnother() {
    configure();
    Driver busy = new Driver(guest.createQueues(1, 16));
    Driver rare = new Driver(guest.createQueues(2, 16));
    int under = 0;
    long data = guest.pages(1);
    for (int i = 0; i < 2_000; i++) {
      for (; under < 15; under++) {
        busy.submit(Command.read(i % 100, 1, data));
        work(30_000);
      }
      if (i % 10 == 0) {
        int id = rare.submit(Command.read(0, 1, data));
        assertThat(rare.take().commandId()).isEqualTo(id);
      }
      busy.take();
      under--;
    }
  }

  /// Takes about as long as a guest's own work.
  private static void work(long nanos) {
    long begun = System.nanoTime();
    while (System.nanoTime() - begun < nanos) {
      Thread.onSpinWait();
    }
  }

  /// The guest whose store comes between the controller's last look and its EventIdx: it sees the
  /// old EventIdx and does not ring.
  @Test
  void aSubmissionThatCouldNotSeeTheNewEventIndexIsFound() {
    shadows = Remote.AT;
    events = Remote.AT + 4096;
    Remote remote = new Remote();
    guest.memory.addMessageOnly(Remote.AT, Remote.SIZE, true, remote);
    configure();
    NvmeGuest.Queue queue = guest.createQueues(1, 16);
    for (int i = 1; i <= 15; i++) {
      queue.put(Command.flush().id(i));
    }
    remote.next = 1;
    remote.put(shadows + 8, 1);

    guest.registers.write(0x1008, 4, 1);

    for (int i = 0; i < 10; i++) {
      queue.next();
    }
  }

  /// Memory behind messages, in which the tail of queue 1 goes on by one, up to 10, just before its
  /// EventIdx is written.
  private static final class Remote implements MessagePort {
    private static final long AT = 1L << 32;
    private static final int SIZE = 1 << 16;

    private final MemorySegment bytes = MemorySegment.ofArray(new byte[SIZE]);
    private int next;

    @Override
    public synchronized MemoryStatus read(
        long address, MemorySegment into, long offset, long length) {
      MemorySegment.copy(bytes, address - AT, into, offset, length);
      return MemoryStatus.OK;
    }

    @Override
    public synchronized MemoryStatus write(
        long address, MemorySegment from, long offset, long length) {
      if (address == AT + 4096 + 8 && next > 0 && next < 10) {
        put(AT + 8, ++next);
      }
      MemorySegment.copy(from, offset, bytes, address - AT, length);
      return MemoryStatus.OK;
    }

    private synchronized void put(long address, int value) {
      bytes.set(ValueLayout.JAVA_INT_UNALIGNED, address - AT, value);
    }
  }

  @Test
  void aRegisterWriteSaysOnlyThatThereIsSomethingToSee() {
    configure();
    NvmeGuest.Queue queue = guest.createQueues(1, 16);
    for (int i = 1; i <= 3; i++) {
      queue.put(Command.flush().id(i));
    }
    store(shadows + 8, 3);

    guest.registers.write(0x1008, 4, 1);

    for (int i = 1; i <= 3; i++) {
      queue.next();
    }
    guest.registers.write(0x1008, 4, 9);
    guest.registers.write(0x100c, 4, 9);
    queue.put(Command.flush().id(4));
    store(shadows + 8, 4);
    guest.registers.write(0x1008, 4, 4);
    assertThat(queue.next().commandId()).isEqualTo(4);
    assertThat(queue.poll()).isNull();
  }

  @Test
  void aFullCompletionQueueIsAskedAbout() {
    configure();
    Driver driver = new Driver(guest.createQueues(1, 4));
    long data = guest.pages(1);
    int taken = 0;
    for (int i = 0; i < 3; i++) {
      driver.submit(Command.read(0, 1, data));
    }
    // Each result that is taken makes room for one more.
    for (int i = 0; i < 500; i++) {
      assertThat(driver.take().commandId()).isEqualTo(taken++);
      driver.submit(Command.read(0, 1, data));
    }
  }

  @Test
  void submissionsBeyondTheRoomForResultsWaitUntilTheGuestTakesSome() {
    configure();
    NvmeGuest.Queue queue = guest.createQueues(1, 4);
    // A second submission queue for the same results.
    long more = guest.pages(1);
    assertThat(guest.admin(Command.createSubmissionQueue(2, 4, 1, more)).status()).isZero();
    for (int i = 0; i < 3; i++) {
      queue.put(Command.flush().id(i));
      guest.poke(more + 64L * i, Command.flush().id(0x10 + i).bytes());
    }
    store(shadows + 8, 3);
    guest.registers.write(0x1008, 4, 3);
    for (int i = 0; i < 3; i++) {
      queue.next();
    }
    store(shadows + 16, 3);
    guest.registers.write(0x1010, 4, 3);
    // Asked for, since nothing can be done: the head at which the guest is said to be.
    while (guest.peekInt(events + 12) != 0 || guest.peekInt(events + 16) != 3) {
      Thread.onSpinWait();
    }
    assertThat(queue.poll()).isNull();

    store(shadows + 12, 3);
    guest.registers.write(0x100c, 4, 3);

    assertThat(
            List.of(queue.next().commandId(), queue.next().commandId(), queue.next().commandId()))
        .containsExactlyInAnyOrder(0x10, 0x11, 0x12);
  }

  @ParameterizedTest
  @ValueSource(ints = {16, 0xffff, 200})
  void anImpossibleTailIsAnErrorOnceAndExecutesNothing(int position) {
    configure();
    NvmeGuest.Queue queue = guest.createQueues(1, 16);
    store(shadows + 8, position);

    for (int i = 0; i < 20; i++) {
      guest.registers.write(0x1008, 4, 1);
    }

    long log = guest.pages(1);
    do {
      assertThat(guest.admin(Command.logPage(1, 128, log)).status()).isZero();
    } while (guest.peekLong(log) == 0);
    assertThat(guest.peekLong(log)).as("errors so far").isEqualTo(1);
    queue.put(Command.flush().id(7));
    store(shadows + 8, 1);
    guest.registers.write(0x1008, 4, 1);
    assertThat(queue.next().commandId()).isEqualTo(7);
  }

  @Test
  void bufferMemoryThatGoesAwayIsFatalAtTheNextRing() {
    configure();
    guest.createQueues(1, 16);
    guest.memory.remove(0, NvmeGuest.RAM - 1, () -> {});

    guest.registers.write(0x1008, 4, 1);

    guest.awaitStatus(CFS, CFS);
  }

  @Test
  void aResetGoesBackToTheRegisters() {
    configure();
    Driver driver = new Driver(guest.createQueues(1, 16));
    driver.submit(Command.flush());
    driver.take();
    guest.disable();
    guest.memory.fill(shadows, 4096, (byte) 0x5a);
    guest.memory.fill(events, 4096, (byte) 0x5a);
    guest.enable();

    NvmeGuest.Queue queue = guest.createQueues(1, 16);
    for (int i = 0; i < 40; i++) {
      assertThat(queue.run(Command.flush()).status()).isZero();
    }

    assertThat(guest.peek(shadows, 4096)).containsOnly(0x5a);
    assertThat(guest.peek(events, 4096)).containsOnly(0x5a);
  }

  @Test
  void aQueueCanBeDeletedWhileItsDoorbellIsLookedAt() {
    configure();
    long data = guest.pages(1);
    for (int round = 0; round < 100; round++) {
      Driver driver = new Driver(guest.createQueues(1, 16));
      for (int i = 0; i < 5; i++) {
        driver.submit(Command.read(0, 1, data));
        driver.take();
      }
      assertThat(guest.admin(new Command(0x00).dword(10, 1)).status()).isZero();
      assertThat(guest.admin(new Command(0x04).dword(10, 1)).status()).isZero();
      guest.memory.fill(shadows, 4096, (byte) round);
    }
  }

  @Test
  void aCommandThatIsHeldUpDoesNotHoldUpTheOthers() throws InterruptedException {
    configure();
    Driver driver = new Driver(guest.createQueues(1, 16));
    long data = guest.pages(1);
    // Quick ones, so that one thread serves alone.
    for (int i = 0; i < 500; i++) {
      driver.submit(Command.read(0, 1, data));
      driver.take();
    }
    backend.entered.drainPermits();
    CountDownLatch gate = backend.shutGate();
    for (int i = 0; i < 3; i++) {
      driver.submit(Command.read(0, 1, data));
    }

    backend.entered.acquire(3);

    gate.countDown();
    for (int i = 0; i < 3; i++) {
      driver.take();
    }
  }

  @Test
  void anIdleControllerAsksToBeToldAndLooksNoMore() {
    configure();
    Driver driver = new Driver(guest.createQueues(1, 16));
    for (int i = 0; i < 5; i++) {
      driver.submit(Command.flush());
      driver.take();
    }
    while (guest.peekInt(events + 8) != 5) {
      Thread.onSpinWait();
    }
    // Nobody looks: only the register brings this to the controller.
    int before = driver.rung;
    driver.submit(Command.flush());
    assertThat(driver.rung).isEqualTo(before + 1);
    driver.take();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void chanceInTheBuffersHurtsNobodyButTheGuest(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    for (int round = 0; round < 20; round++) {
      configure();
      for (int id = 1; id <= 4; id++) {
        guest.createQueues(id, 8);
      }
      for (int i = 0; i < 300; i++) {
        int id = 1 + random.nextInt(4);
        long offset = 8L * id + 4L * random.nextInt(2);
        store((random.nextInt(4) == 0 ? events : shadows) + offset, random.nextInt(12) - 1);
        guest.registers.write(0x1000 + offset, 4, random.nextInt(12));
      }
      guest.disable();
      guest.reusePages();
      shadows = guest.pages(1);
      events = guest.pages(1);
      guest.enable();
    }
    configure();
    Driver driver = new Driver(guest.createQueues(1, 16));
    driver.submit(Command.flush());
    assertThat(driver.take().status()).isZero();
  }
}
