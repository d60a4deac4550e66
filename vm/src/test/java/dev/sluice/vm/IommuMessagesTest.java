package dev.sluice.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.models.vtd.InterruptSink.Event;
import dev.sluice.pci.ConfigSpace;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class IommuMessagesTest {
  private static final int COMMAND = 4;
  private static final int BUS_MASTER = 4;
  private static final long FAULT = 0xFEE0_0010L;
  private static final long COMPLETION = 0xFEE0_0020L;
  private static final long DEVICE = 0xFEE0_0030L;

  private final IommuMessages messages = new IommuMessages();
  private final List<String> posted = new ArrayList<>();
  private final ConfigSpace disk = ConfigSpace.builder().build();
  private final ConfigSpace other = ConfigSpace.builder().build();
  private boolean takes = true;

  /// What happens once while a function posts.
  private Runnable meanwhile = () -> {};

  IommuMessagesTest() {
    messages.addFunction(disk, (address, data) -> post("disk", address, data));
    messages.addFunction(other, (address, data) -> post("other", address, data));
  }

  private boolean post(String by, long address, int data) {
    Runnable now = meanwhile;
    meanwhile = () -> {};
    now.run();
    if (takes) {
      posted.add("%s %x %d".formatted(by, address, data));
    }
    return takes;
  }

  private static void busMaster(ConfigSpace function, boolean on) {
    function.write(COMMAND, 2, on ? BUS_MASTER : 0);
  }

  private void fault(int data) {
    messages.sendEvent(Event.FAULT, FAULT, data);
  }

  private void completion(int data) {
    messages.sendEvent(Event.COMPLETION, COMPLETION, data);
  }

  @Test
  void aMessageGoesThroughAFunctionThatIsABusMaster() {
    busMaster(other, true);
    fault(1);
    busMaster(disk, true);
    fault(2);
    assertThat(posted).containsExactly("other fee00010 1", "disk fee00010 2");
  }

  @Test
  void withoutOneItIsSentOnceWhenAFunctionBecomesOne() {
    completion(1);
    fault(2);
    busMaster(other, false);
    assertThat(posted).isEmpty();
    busMaster(other, true);
    assertThat(posted).containsExactly("other fee00020 1", "other fee00010 2");
    busMaster(disk, true);
    assertThat(posted).hasSize(2);
  }

  @Test
  void anEventThatComesAgainIsOneMessage() {
    completion(1);
    fault(2);
    completion(1);
    busMaster(disk, true);
    assertThat(posted).containsExactly("disk fee00010 2", "disk fee00020 1");
  }

  @Test
  void anEventWhoseMessageIsProgrammedAnewTakesTheNewOneAndLeavesTheOther() {
    completion(1);
    for (int data = 0; data < 1000; data++) {
      fault(data);
    }
    busMaster(disk, true);
    assertThat(posted).containsExactly("disk fee00020 1", "disk fee00010 999");
  }

  @Test
  void twoEventsThatShareOneMessageAreTwo() {
    messages.sendEvent(Event.FAULT, FAULT, 1);
    messages.sendEvent(Event.COMPLETION, FAULT, 1);
    busMaster(disk, true);
    assertThat(posted).containsExactly("disk fee00010 1", "disk fee00010 1");
  }

  @Test
  void whatAClientDoesNotTakeStaysPending() {
    busMaster(disk, true);
    takes = false;
    fault(1);
    takes = true;
    completion(2);
    assertThat(posted).containsExactly("disk fee00010 1", "disk fee00020 2");
  }

  @Test
  void devicesPushNothingOutOfTheUnitsOwn() {
    busMaster(disk, true);
    takes = false;
    fault(1);
    completion(2);
    for (int data = 0; data < 1000; data++) {
      messages.send(DEVICE, data);
    }
    takes = true;
    messages.send(DEVICE, 7);
    assertThat(posted).containsExactly("disk fee00010 1", "disk fee00020 2", "disk fee00030 7");
  }

  @Test
  void twoMoreThatComeWhileOneIsPostedAreNotTakenForIt() {
    busMaster(disk, true);
    meanwhile =
        () -> {
          takes = false;
          completion(2);
          fault(3);
          takes = true;
        };
    fault(1);
    assertThat(posted).containsExactly("disk fee00010 1", "disk fee00020 2", "disk fee00010 3");
  }

  @Test
  void whileAFunctionTakesThemNoneOfSeveralThreadsLosesAMessage() throws Exception {
    busMaster(disk, true);
    int each = 20_000;
    try (ExecutorService threads = Executors.newFixedThreadPool(3)) {
      List<Future<?>> all =
          List.of(
              threads.submit(() -> IntStream.range(0, each).forEach(this::fault)),
              threads.submit(() -> IntStream.range(0, each).forEach(this::completion)),
              threads.submit(
                  () -> IntStream.range(0, each).forEach(data -> messages.send(DEVICE, data))));
      for (Future<?> one : all) {
        one.get();
      }
    }
    // By number: the list is long.
    assertThat(posted.stream().distinct().count()).isEqualTo(3L * each);
    assertThat(posted.size()).isEqualTo(3 * each);
  }

  @Test
  void aResetForgetsWhatIsPending() {
    fault(1);
    messages.clear();
    busMaster(disk, true);
    assertThat(posted).isEmpty();
  }
}
