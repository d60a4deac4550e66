package dev.sluice.pci.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Several results, one interrupt.
class ResultsTest {
  @TempDir Path folder;
  private final Results results = new Results();
  private NvmeGuest guest;
  private Run run;
  private SubmissionQueue first;
  private SubmissionQueue second;
  private SubmissionQueue other;

  @BeforeEach
  void start() throws IOException {
    Path image = folder.resolve("disk");
    Files.write(image, new byte[4096]);
    NvmeConfig config = new NvmeConfig("TEST", 3, 1);
    guest = new NvmeGuest(new ScriptedBackend(image, true), config);
    SubmissionQueue admin = new SubmissionQueue(0, 0, 8, completions(0));
    run = new Run(guest, 12, new QueueSet(3, admin), new Features(config), () -> {});
    CompletionQueue shared = completions(1);
    first = executing(1, shared);
    second = executing(2, shared);
    other = executing(3, completions(2));
  }

  @AfterEach
  void stop() {
    guest.close();
  }

  private static CompletionQueue completions(int vector) {
    return new CompletionQueue(vector, 0, 8, vector, true);
  }

  private static SubmissionQueue executing(int id, CompletionQueue completions) {
    SubmissionQueue queue = new SubmissionQueue(id, 0, 8, completions);
    queue.fetched();
    return queue;
  }

  @Test
  void eachCompletionQueueInterruptsOnceAndTheCommandsHaveEndedThen() {
    assertThat(results.add(first)).isEqualTo(1);
    assertThat(results.add(other)).isEqualTo(2);
    assertThat(results.add(second)).isEqualTo(3);
    assertThat(first.idle()).as("before the guest was told").isFalse();

    results.tell(run);
    results.tell(run);

    assertThat(guest.interrupts.count(1)).isEqualTo(1);
    assertThat(guest.interrupts.count(2)).isEqualTo(1);
    assertThat(first.idle()).isTrue();
    assertThat(second.idle()).isTrue();
    assertThat(other.idle()).isTrue();
  }

  @Test
  void aRunThatHasEndedInterruptsNobody() {
    results.add(first);
    run.end();

    results.tell(run);

    assertThat(guest.interrupts.count(1)).isZero();
    assertThat(first.idle()).isTrue();
  }

  @Test
  void theCommandsEndAlsoWhenTheHostFailsToInterrupt() {
    results.add(first);
    guest.interrupts.breakVector(1);

    assertThatThrownBy(() -> results.tell(run)).isInstanceOf(IllegalStateException.class);

    assertThat(first.idle()).isTrue();
  }
}
