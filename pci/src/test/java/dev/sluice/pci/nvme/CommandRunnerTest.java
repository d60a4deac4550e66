package dev.sluice.pci.nvme;

import static org.assertj.core.api.Assertions.assertThat;

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

    assertThat(runner.fetch(run, queue, buffers)).isTrue();
    assertThat(queue.head()).isEqualTo(1);
    assertThat(queue.claim()).as("no slot for a second result").isFalse();
  }

  @Test
  void theRightToADeletedQueueIsWorthNothingAndFreesItsSlot() {
    assertThat(queue.claim()).isTrue();
    queue.delete();

    assertThat(runner.fetch(run, queue, buffers)).isFalse();

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

    assertThat(runner.fetch(run, queue, buffers)).isFalse();
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

    assertThat(runner.fetch(run, nowhere, buffers)).isFalse();

    assertThat(fatal).singleElement().asString().contains("submission queue 1");
    assertThat(completions.reserve()).as("its slot is free").isTrue();
  }
}
