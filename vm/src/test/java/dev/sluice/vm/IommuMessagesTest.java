package dev.sluice.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.pci.ConfigSpace;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class IommuMessagesTest {
  private static final int COMMAND = 4;
  private static final int BUS_MASTER = 4;
  private static final long FAULT = 0xFEE0_0010L;
  private static final long COMPLETION = 0xFEE0_0020L;

  private final IommuMessages messages = new IommuMessages();
  private final List<String> posted = new ArrayList<>();
  private final ConfigSpace disk = ConfigSpace.builder().build();
  private final ConfigSpace other = ConfigSpace.builder().build();
  private boolean takes = true;

  IommuMessagesTest() {
    messages.addFunction(disk, (address, data) -> post("disk", address, data));
    messages.addFunction(other, (address, data) -> post("other", address, data));
  }

  private boolean post(String by, long address, int data) {
    if (takes) {
      posted.add("%s %x %d".formatted(by, address, data));
    }
    return takes;
  }

  private static void busMaster(ConfigSpace function, boolean on) {
    function.write(COMMAND, 2, on ? BUS_MASTER : 0);
  }

  @Test
  void aMessageGoesThroughAFunctionThatIsABusMaster() {
    busMaster(other, true);
    messages.send(FAULT, 1);
    busMaster(disk, true);
    messages.send(FAULT, 2);
    assertThat(posted).containsExactly("other fee00010 1", "disk fee00010 2");
  }

  @Test
  void withoutOneItIsSentOnceWhenAFunctionBecomesOne() {
    messages.send(COMPLETION, 1);
    messages.send(FAULT, 2);
    busMaster(other, false);
    assertThat(posted).isEmpty();
    busMaster(other, true);
    assertThat(posted).containsExactly("other fee00020 1", "other fee00010 2");
    busMaster(disk, true);
    assertThat(posted).hasSize(2);
  }

  @Test
  void anEventThatComesAgainIsOneMessage() {
    messages.send(COMPLETION, 1);
    messages.send(FAULT, 2);
    messages.send(COMPLETION, 1);
    busMaster(disk, true);
    assertThat(posted).containsExactly("disk fee00010 2", "disk fee00020 1");
  }

  @Test
  void aGuestThatProgramsItsMessagesAnewMakesNoMorePend() {
    for (int data = 0; data < 1000; data++) {
      messages.send(FAULT, data);
    }
    busMaster(disk, true);
    assertThat(posted).containsExactly("disk fee00010 998", "disk fee00010 999");
  }

  @Test
  void whatAClientDoesNotTakeStaysPending() {
    busMaster(disk, true);
    takes = false;
    messages.send(FAULT, 1);
    takes = true;
    messages.send(COMPLETION, 2);
    assertThat(posted).containsExactly("disk fee00010 1", "disk fee00020 2");
  }

  @Test
  void aResetForgetsWhatIsPending() {
    messages.send(FAULT, 1);
    messages.clear();
    busMaster(disk, true);
    assertThat(posted).isEmpty();
  }
}
