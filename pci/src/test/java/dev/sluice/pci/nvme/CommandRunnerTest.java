package dev.sluice.pci.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.pci.nvme.CommandRunner.Fetch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The right to fetch from a queue, where what a guest can see does not tell when it was lost.
class CommandRunnerTest {
  @TempDir Path folder;
  private final List<String> fatal = new ArrayList<>();
  private final CommandBuffers buffers = new CommandBuffers();
  private ScriptedBackend backend;
  private NvmeGuest guest;
  private CompletionQueue completions;
  private SubmissionQueue queue;
  private Run run;
  private CommandRunner runner;

  @BeforeEach
  void start() throws IOException {
    Path image = folder.resolve("disk");
    Files.write(image, new byte[4096]);
    backend = new ScriptedBackend(image, true);
    NvmeConfig config = new NvmeConfig("TEST", 1, 1);
    guest = new NvmeGuest(backend, config);
    Namespace namespace = new Namespace(backend, new UUID(0, 0));
    Counters counters = new Counters();
    ErrorLog errors = new ErrorLog();
    AdminCommands admin =
        new AdminCommands(
            namespace,
            IdentifyController.of(config),
            new QueueCommands(2, () -> ControllerConfiguration.RESET),
            new LogPages(counters, errors));
    runner =
        new CommandRunner(
            new IoCommands(namespace, counters),
            admin,
            counters,
            errors,
            (ended, reason) -> fatal.add(reason));
    completions = new CompletionQueue(1, guest.pages(1), 2, 1, true);
    queue = new SubmissionQueue(1, guest.pages(1), 8, completions);
    QueueSet queues =
        new QueueSet(1, new SubmissionQueue(0, 0, 8, new CompletionQueue(0, 0, 8, 0, true)));
    run = new Run(guest, 12, queues, new Features(config), () -> {});
    queue.advanceTail(3);
  }

  @AfterEach
  void stop() {
    guest.close();
  }

  @Test
  void onlyOneCanHaveTheRight() {
    assertThat(queue.claim()).isTrue();
    assertThat(queue.claim()).isFalse();
    assertThat(queue.idle()).isFalse();

    assertThat(runner.fetch(run, queue, buffers)).isEqualTo(Fetch.COMMAND);
    assertThat(queue.head()).isEqualTo(1);
    assertThat(queue.claim()).as("it is kept").isFalse();
    assertThat(runner.fetch(run, queue, buffers))
        .as("no slot for a second result")
        .isEqualTo(Fetch.NOTHING);
    assertThat(queue.head()).isEqualTo(1);
  }

  @Test
  void whoKnocksWhileAnotherHasTheRightIsNotForgotten() {
    assertThat(queue.claim()).isTrue();
    assertThat(queue.claim()).isFalse();

    assertThat(queue.release()).isFalse();
    assertThat(queue.claim()).as("the right was kept, and knocked at again").isFalse();
    assertThat(queue.release()).isFalse();
    assertThat(queue.release()).isTrue();
    assertThat(queue.claim()).isTrue();
  }

  @Test
  void entriesAreReadAheadOnceAndFetchedOneByOne() {
    CompletionQueue roomy = new CompletionQueue(1, guest.pages(1), 32, 1, true);
    long entries = guest.pages(2);
    SubmissionQueue ring = new SubmissionQueue(1, entries, 70, roomy);
    for (int i = 0; i < 69; i++) {
      guest.poke(entries + 64L * i, Command.flush().id(i).bytes());
    }
    ring.advanceTail(20);
    for (int i = 0; i < 20; i++) {
      assertThat(runner.fetch(run, ring, buffers)).isEqualTo(Fetch.COMMAND);
      assertThat(buffers.entry().commandId()).isEqualTo(i);
      assertThat(ring.head()).isEqualTo(i + 1);
    }
    assertThat(runner.fetch(run, ring, buffers)).isEqualTo(Fetch.NOTHING);
  }

  @Test
  void entriesAcrossAPageAndTheEndOfTheRingAreFetchedInOrder() {
    int size = 70;
    CompletionQueue roomy = new CompletionQueue(1, guest.pages(1), 200, 1, true);
    long entries = guest.pages(2);
    SubmissionQueue ring = new SubmissionQueue(1, entries, size, roomy);
    int fetched = 0;
    for (int tail = 60; fetched < 180; tail = (tail + 30) % size) {
      int end = fetched + Math.floorMod(tail - ring.tail(), size);
      for (int i = fetched; i < end; i++) {
        guest.poke(entries + 64L * (i % size), Command.flush().id(i).bytes());
      }
      assertThat(ring.advanceTail(tail)).isTrue();
      for (; fetched < end; fetched++) {
        assertThat(runner.fetch(run, ring, buffers)).isEqualTo(Fetch.COMMAND);
        assertThat(buffers.entry().commandId()).isEqualTo(fetched);
      }
    }
  }

  @Test
  void theRightToADeletedQueueIsWorthNothing() {
    assertThat(queue.claim()).isTrue();
    queue.delete();

    assertThat(runner.fetch(run, queue, buffers)).isEqualTo(Fetch.GONE);

    assertThat(queue.head()).isZero();
    assertThat(queue.idle()).isTrue();
    assertThat(queue.claim()).isFalse();
    assertThat(completions.reserve()).isTrue();
    assertThat(fatal).isEmpty();
  }

  @Test
  void theRightInARunThatHasEndedIsWorthNothing() {
    assertThat(queue.claim()).isTrue();
    assertThat(run.enter()).isTrue();
    run.end();

    assertThat(runner.fetch(run, queue, buffers)).isEqualTo(Fetch.GONE);
    assertThat(run.enter()).isFalse();
    assertThat(run.drained()).isFalse();
    run.leave();
    assertThat(run.drained()).isTrue();
  }

  @Test
  void anEntryThatCannotBeReadEndsTheRun() {
    SubmissionQueue nowhere = new SubmissionQueue(1, NvmeGuest.RAM, 8, completions);
    nowhere.advanceTail(1);
    assertThat(nowhere.claim()).isTrue();

    assertThat(runner.fetch(run, nowhere, buffers)).isEqualTo(Fetch.GONE);

    assertThat(fatal).singleElement().asString().contains("submission queue 1");
    assertThat(completions.reserve()).as("its slot is free").isTrue();
  }
}
