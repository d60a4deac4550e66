package dev.sluice.testkit.vfiouser;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// DEVICE_GET_IRQ_INFO.
class IrqInfoTest extends ServerTest {
  private static final int GET_IRQ_INFO = 7;

  private static byte[] irqInfo(int argsz, int index) {
    return new Payload().u32(argsz).u32(0).u32(index).u32(0).toBytes();
  }

  @Test
  void thePinMasksItselfAndTheMessagesHaveTheirVectors() throws Exception {
    int[] flags = {7, 1, 1, 1, 1};
    int[] counts = {1, 4, RegisterFunction.VECTORS, 1, 1};
    for (int index = 0; index < counts.length; index++) {
      Message reply = client.call(GET_IRQ_INFO, irqInfo(16, index));
      assertDone(reply, 16);
      assertThat(reply.u32(0)).isEqualTo(16);
      assertThat(reply.u32(4)).as("flags of " + index).isEqualTo(flags[index]);
      assertThat(reply.u32(8)).isEqualTo(index);
      assertThat(reply.u32(12)).as("count of " + index).isEqualTo(counts[index]);
    }
  }

  @Test
  void aKindThatCannotBeOrARequestThatIsTooShortIsRefused() throws Exception {
    assertRefused(client.call(GET_IRQ_INFO, irqInfo(16, 5)), EINVAL);
    assertRefused(client.call(GET_IRQ_INFO, irqInfo(16, -1)), EINVAL);
    assertRefused(client.call(GET_IRQ_INFO, irqInfo(12, 0)), EINVAL);
    assertRefused(client.call(GET_IRQ_INFO, new byte[15]), EINVAL);
    assertAlive();
  }
}
