package dev.sluice.pci.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// I/O queues: creation, deletion, what fills up and wraps (NVMe 1.4, 4.1 and 5.3 to 5.6).
class QueueCommandsTest {
  private static final int INVALID_FIELD = 0x002;
  private static final int PRP_OFFSET_INVALID = 0x013;
  private static final int COMPLETION_QUEUE_INVALID = 0x100;
  private static final int INVALID_QUEUE_IDENTIFIER = 0x101;
  private static final int INVALID_QUEUE_SIZE = 0x102;
  private static final int INVALID_INTERRUPT_VECTOR = 0x108;
  private static final int INVALID_QUEUE_DELETION = 0x10c;
  private static final int DELETE_SUBMISSION = 0x00;
  private static final int DELETE_COMPLETION = 0x04;

  @TempDir Path folder;
  private ScriptedBackend backend;
  private NvmeGuest guest;
  private long page;

  @BeforeEach
  void start() throws IOException {
    Path image = folder.resolve("disk");
    Files.write(image, new byte[1 << 20]);
    backend = new ScriptedBackend(image, true);
    guest = new NvmeGuest(backend).enable();
    page = guest.pages(8);
  }

  @AfterEach
  void stop() {
    backend.openGate();
    guest.close();
  }

  private int status(Command command) {
    return guest.admin(command).status();
  }

  @Test
  void asManyQueuesAsTheControllerHasCanBeCreatedAndUsed() {
    for (int id = 1; id <= 8; id++) {
      NvmeGuest.Queue queue = guest.createQueues(id, 8);
      assertThat(queue.run(Command.flush()).queueId()).isEqualTo(id);
      assertThat(guest.interrupts.count(id)).isEqualTo(1);
    }

    assertThat(status(Command.createCompletionQueue(9, 8, 0, page)))
        .isEqualTo(INVALID_QUEUE_IDENTIFIER);
    assertThat(status(Command.createSubmissionQueue(9, 8, 1, page)))
        .isEqualTo(INVALID_QUEUE_IDENTIFIER);
  }

  @Test
  void queueZeroAndAQueueThatExistsCannotBeCreated() {
    guest.createQueues(1, 8);

    assertThat(status(Command.createCompletionQueue(0, 8, 0, page)))
        .isEqualTo(INVALID_QUEUE_IDENTIFIER);
    assertThat(status(Command.createSubmissionQueue(0, 8, 1, page)))
        .isEqualTo(INVALID_QUEUE_IDENTIFIER);
    assertThat(status(Command.createCompletionQueue(1, 8, 0, page)))
        .isEqualTo(INVALID_QUEUE_IDENTIFIER);
    assertThat(status(Command.createSubmissionQueue(1, 8, 1, page)))
        .isEqualTo(INVALID_QUEUE_IDENTIFIER);
  }

  @Test
  void queuesBeyondTheNumberThatWasSetAreRefused() {
    guest.admin(Command.setFeature(0x07, 1 << 16 | 1));

    assertThat(status(Command.createCompletionQueue(2, 8, 0, page))).isZero();
    assertThat(status(Command.createCompletionQueue(3, 8, 0, page)))
        .isEqualTo(INVALID_QUEUE_IDENTIFIER);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 1025, 65536})
  void queuesOfAnImpossibleSizeAreRefused(int entries) {
    guest.createQueues(1, 8);

    assertThat(status(Command.createCompletionQueue(2, entries, 0, page)))
        .isEqualTo(INVALID_QUEUE_SIZE);
    assertThat(status(Command.createSubmissionQueue(2, entries, 1, page)))
        .isEqualTo(INVALID_QUEUE_SIZE);
  }

  @Test
  void queuesOfTheLargestSizeWork() {
    assertThat(status(Command.createCompletionQueue(1, 1024, 0, page))).isZero();
    assertThat(status(Command.createSubmissionQueue(1, 1024, 1, guest.pages(16)))).isZero();
  }

  @Test
  void queuesThatAreNotContiguousAreRefused() {
    guest.createQueues(1, 8);

    assertThat(status(Command.createCompletionQueue(2, 8, 0, page).dword(11, 0b10)))
        .isEqualTo(INVALID_FIELD);
    assertThat(status(Command.createSubmissionQueue(2, 8, 1, page).dword(11, 1 << 16)))
        .isEqualTo(INVALID_FIELD);
  }

  @Test
  void queuesThatDoNotStartAPageAreRefused() {
    guest.createQueues(1, 8);

    assertThat(status(Command.createCompletionQueue(2, 8, 0, page + 16)))
        .isEqualTo(PRP_OFFSET_INVALID);
    assertThat(status(Command.createSubmissionQueue(2, 8, 1, page + 64)))
        .isEqualTo(PRP_OFFSET_INVALID);
  }

  @Test
  void interruptVectorMustExist() {
    assertThat(status(Command.createCompletionQueue(1, 8, 8, page))).isZero();
    assertThat(status(Command.createCompletionQueue(2, 8, 9, page)))
        .isEqualTo(INVALID_INTERRUPT_VECTOR);
    assertThat(status(Command.createCompletionQueue(2, 8, 0xffff, page)))
        .isEqualTo(INVALID_INTERRUPT_VECTOR);
  }

  @Test
  void entrySizesMustBeThoseOfTheCommandSet() {
    guest.createQueues(1, 8);
    guest.configure(1);

    assertThat(status(Command.createCompletionQueue(2, 8, 0, page))).isEqualTo(INVALID_FIELD);
    assertThat(status(Command.createSubmissionQueue(2, 8, 1, page))).isEqualTo(INVALID_FIELD);
  }

  @Test
  void submissionQueueNeedsAnIoCompletionQueue() {
    assertThat(status(Command.createSubmissionQueue(1, 8, 0, page)))
        .isEqualTo(COMPLETION_QUEUE_INVALID);
    assertThat(status(Command.createSubmissionQueue(1, 8, 1, page)))
        .isEqualTo(COMPLETION_QUEUE_INVALID);
    assertThat(status(Command.createSubmissionQueue(1, 8, 0xffff, page)))
        .isEqualTo(COMPLETION_QUEUE_INVALID);
  }

  @Test
  void queuesAreDeletedSubmissionFirst() {
    guest.createQueues(1, 8);

    assertThat(status(new Command(DELETE_COMPLETION).dword(10, 1)))
        .isEqualTo(INVALID_QUEUE_DELETION);
    assertThat(status(new Command(DELETE_SUBMISSION).dword(10, 1))).isZero();
    assertThat(status(new Command(DELETE_COMPLETION).dword(10, 1))).isZero();
    assertThat(status(new Command(DELETE_SUBMISSION).dword(10, 1)))
        .isEqualTo(INVALID_QUEUE_IDENTIFIER);
    assertThat(status(new Command(DELETE_COMPLETION).dword(10, 1)))
        .isEqualTo(INVALID_QUEUE_IDENTIFIER);
    guest.createQueues(1, 8);
    assertThat(guest.queue(1).run(Command.flush()).status()).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 5, 9, 0xffff})
  void queuesThatDoNotExistCannotBeDeleted(int id) {
    assertThat(status(new Command(DELETE_SUBMISSION).dword(10, id)))
        .isEqualTo(INVALID_QUEUE_IDENTIFIER);
    assertThat(status(new Command(DELETE_COMPLETION).dword(10, id)))
        .isEqualTo(INVALID_QUEUE_IDENTIFIER);
  }

  @Test
  void deletionWaitsForFetchedCommandsAndDropsTheOthers() throws InterruptedException {
    NvmeGuest.Queue queue = guest.createQueues(1, 16);
    CountDownLatch gate = backend.shutGate();
    for (int i = 0; i < 8; i++) {
      queue.put(Command.write(i, 1, page).id(i));
    }
    queue.ringTail();
    // The three workers of the test's controller are all busy.
    backend.entered.acquire(3);

    guest.admin().put(new Command(DELETE_SUBMISSION).id(0x6001).dword(10, 1));
    guest.admin().put(Command.getFeature(0x06).id(0x6002));
    guest.admin().ringTail();
    gate.countDown();

    assertThat(guest.admin().next().commandId()).isEqualTo(0x6001);
    assertThat(guest.admin().next().commandId()).isEqualTo(0x6002);
    guest.admin().ringHead();
    int results = 0;
    while (queue.poll() != null) {
      results++;
    }
    assertThat(results).as("commands that were fetched").isBetween(3, 8);
    assertThat(guest.controller.statistics().ioCommands()).isEqualTo(results);
  }

  @Test
  void otherQueuesAreServedWhileOneIsStuck() throws InterruptedException {
    NvmeGuest.Queue stuck = guest.createQueues(1, 16);
    NvmeGuest.Queue other = guest.createQueues(2, 16);
    CountDownLatch gate = backend.shutGate();
    stuck.put(Command.write(0, 1, page).id(1));
    stuck.ringTail();
    backend.entered.acquire();

    assertThat(other.run(Command.flush()).status()).isZero();
    assertThat(guest.admin(Command.getFeature(6)).status()).isZero();
    gate.countDown();
    assertThat(stuck.next().status()).isZero();
  }

  @Test
  void aFullCompletionQueueStopsTheFetchingUntilResultsAreTaken() {
    long completions = guest.pages(1);
    assertThat(status(Command.createCompletionQueue(1, 4, 1, completions))).isZero();
    NvmeGuest.Queue queue = guest.createQueues(2, 16);
    assertThat(status(Command.createSubmissionQueue(1, 16, 1, page))).isZero();
    for (int i = 0; i < 10; i++) {
      guest.poke(page + 64L * i, Command.flush().id(i).bytes());
    }
    guest.registers.write(0x1008, 4, 10);
    guest.interrupts.await(() -> guest.interrupts.count(1) == 3);
    assertThat(queue.run(Command.flush()).status()).as("another queue still works").isZero();
    assertThat(guest.interrupts.count(1)).isEqualTo(3);
    assertThat(backend.flushes).hasValue(4);

    guest.registers.write(0x100c, 4, 1);
    guest.interrupts.await(() -> guest.interrupts.count(1) == 4);
    guest.registers.write(0x100c, 4, 0);
    guest.interrupts.await(() -> guest.interrupts.count(1) == 7);

    assertThat(backend.flushes).hasValue(8);
  }

  @Test
  void aTailThatWouldOvertakeTheHeadIsRefused() {
    assertThat(status(Command.createCompletionQueue(1, 4, 1, guest.pages(1)))).isZero();
    assertThat(status(Command.createSubmissionQueue(1, 8, 1, page))).isZero();
    for (int i = 0; i < 8; i++) {
      guest.poke(page + 64L * i, Command.flush().id(i).bytes());
    }
    guest.registers.write(0x1008, 4, 7);
    guest.interrupts.await(() -> guest.interrupts.count(1) == 3);
    guest.admin().put(new Command(0x0c).id(0x7001));
    guest.admin().ringTail();

    // Three commands were fetched; three more fit behind the four that wait, and a fourth does not.
    guest.registers.write(0x1008, 4, 2);
    assertThat(status(Command.getFeature(6))).as("no event yet").isZero();
    guest.registers.write(0x1008, 4, 3);

    Completion event = guest.admin().next();
    assertThat(event.commandId()).isEqualTo(0x7001);
    assertThat(event.result()).as("error, invalid doorbell value").isEqualTo(1 << 16 | 1 << 8);
  }

  @Test
  void queuesWrapAroundManyTimesWithTheirPhase() {
    guest.createQueues(1, 3);

    for (int i = 0; i < 100; i++) {
      Completion completion = guest.queue(1).run(Command.flush());
      assertThat(completion.status()).isZero();
      assertThat(completion.queueHead()).isEqualTo((i + 1) % 3);
    }
  }

  @Test
  void severalSubmissionQueuesShareACompletionQueue() {
    NvmeGuest.Queue first = guest.createQueues(1, 16);
    assertThat(status(Command.createSubmissionQueue(2, 16, 1, page))).isZero();
    guest.poke(page, Command.flush().id(0x55).bytes());

    guest.registers.write(0x1010, 4, 1);

    Completion completion = first.next();
    assertThat(completion.queueId()).isEqualTo(2);
    assertThat(completion.commandId()).isEqualTo(0x55);
  }

  @Test
  void aQueueWithoutInterruptsIsPolled() {
    long completions = guest.pages(1);
    assertThat(status(Command.createCompletionQueue(1, 4, 1, completions).dword(11, 1 << 16 | 1)))
        .isZero();
    assertThat(status(Command.createSubmissionQueue(1, 4, 1, page))).isZero();
    guest.poke(page, Command.flush().id(0x55).bytes());
    guest.registers.write(0x1008, 4, 1);

    while (guest.peekLong(completions + 8) >>> 48 == 0) {
      Thread.onSpinWait();
    }
    assertThat(guest.interrupts.count(1)).isZero();
  }
}
