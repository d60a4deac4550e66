package dev.sluice.testkit.vfiouser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.vfiouser.server.ServerOptions;
import java.time.Duration;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/// DEVICE_RESET.
class ResetTest {
  private static final int RESET = 13;

  @Nested
  class WithAPatientClient extends ServerTest {
    @Test
    void theFunctionIsAsAtItsBeginning() throws Exception {
      client.write(7, 0x3c, (byte) 11);
      assertDone(client.call(RESET, new byte[0]), 0);
      assertThat(function.resets).isEqualTo(1);
      assertThat(client.read(7, 0x3c, 1)).containsExactly(0);
    }

    @Test
    void theReplyWaitsForTheDeviceAndSoDoesWhatFollows() throws Exception {
      function.holdResets = true;
      int reset = client.send(RESET, new byte[0]);
      int read = client.send(9, VfioUserClient.access(0, 0, 4));
      awaitReset();
      assertSilent();
      assertThat(function.accesses).isEmpty();

      function.heldResets.getFirst().run();
      assertDone(client.reply(reset), 0);
      assertDone(client.reply(read), 20);
      assertThat(function.accesses).containsExactly("r0/4");
    }

    private void awaitReset() {
      await(() -> !function.heldResets.isEmpty());
    }
  }

  @Nested
  class WithADeviceThatNeverEnds extends ServerTest {
    @Override
    ServerOptions options() {
      return super.options().withReplyLimit(Duration.ofMillis(20));
    }

    @Test
    void theClientIsToldInTime() throws Exception {
      function.holdResets = true;
      assertRefused(client.call(RESET, new byte[0]), EBUSY);
      assertAlive();
      // An end that comes later disturbs nothing.
      function.heldResets.getFirst().run();
      assertAlive();
    }
  }
}
