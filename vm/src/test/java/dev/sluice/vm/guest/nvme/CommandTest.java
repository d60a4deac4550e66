package dev.sluice.vm.guest.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class CommandTest {
  private static int[] dwords(Command command, int id) {
    int[] dwords = new int[16];
    ByteBuffer.wrap(command.encode(id)).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(dwords);
    return dwords;
  }

  @Test
  void aTransferHasItsFieldsInTheirPlaces() {
    int[] write =
        dwords(
            Command.transfer(true, 1, 0x1_2345_6789L, 256, 0x1_FFFF_F200L, 0x2_0000_3000L), 0x1F);

    assertThat(write[0]).isEqualTo(0x001F_0001);
    assertThat(write[1]).isEqualTo(1);
    assertThat(write[6]).isEqualTo(0xFFFF_F200);
    assertThat(write[7]).isEqualTo(1);
    assertThat(write[8]).isEqualTo(0x0000_3000);
    assertThat(write[9]).isEqualTo(2);
    assertThat(write[10]).isEqualTo(0x2345_6789);
    assertThat(write[11]).isEqualTo(1);
    assertThat(write[12]).isEqualTo(255);
    assertThat(dwords(Command.transfer(false, 1, 0, 1, 0, 0), 0)[0]).isEqualTo(2);
  }

  @Test
  void queuesAreCreatedContiguousWithInterruptsAndTiedToEachOther() {
    int[] completion = dwords(Command.createCompletionQueue(3, 64, 0xFFFF_0000L, 5), 1);
    int[] submission = dwords(Command.createSubmissionQueue(4, 32, 0xFFFE_0000L, 3), 2);

    assertThat(completion[0]).isEqualTo(0x0001_0005);
    assertThat(completion[6]).isEqualTo(0xFFFF_0000);
    assertThat(completion[10]).isEqualTo(63 << 16 | 3);
    assertThat(completion[11]).isEqualTo(5 << 16 | 3);
    assertThat(submission[0]).isEqualTo(0x0002_0001);
    assertThat(submission[10]).isEqualTo(31 << 16 | 4);
    assertThat(submission[11]).isEqualTo(3 << 16 | 1);
  }

  @Test
  void opcodesAndParametersOfTheOtherCommands() {
    assertThat(dwords(Command.deleteSubmissionQueue(7), 0)).startsWith(0).contains(7);
    assertThat(dwords(Command.deleteCompletionQueue(7), 0)).startsWith(4).contains(7);
    assertThat(dwords(Command.identify(1, 0, 0x1000), 0)).startsWith(6).contains(0x1000);
    assertThat(dwords(Command.setFeature(7, 0x1_0001), 0)).startsWith(9);
    assertThat(dwords(Command.setFeature(7, 0x1_0001), 0)[11]).isEqualTo(0x1_0001);
    assertThat(dwords(Command.asyncEventRequest(), 0)).startsWith(0xC);
    assertThat(dwords(Command.flush(1), 9)).startsWith(0x9_0000, 1);
  }

  @Test
  void aCompletionIsTakenApart() {
    Completion failed = Completion.decode(0x11, 0x0002_0005, 0x4105_001F);

    assertThat(failed).isEqualTo(new Completion(0x11, 2, 0x1F, 0x82));
    assertThat(failed.succeeded()).isFalse();
    assertThat(failed.statusText()).isEqualTo("status 0/82");
    assertThat(Completion.decode(0, 0, 0x0001_0003).succeeded()).isTrue();
  }
}
