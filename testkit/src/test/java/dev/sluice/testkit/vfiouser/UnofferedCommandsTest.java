package dev.sluice.testkit.vfiouser;

import org.junit.jupiter.api.Test;

/// Commands that are not for this server: those that only servers send, those that it does not
/// offer, and those that nobody knows.
class UnofferedCommandsTest extends ServerTest {
  @Test
  void eachIsRefusedAndTheSessionGoesOn() throws Exception {
    for (int command : new int[] {0, 11, 12, 14, 15, 16, 17, 18, 19, 255, 65535}) {
      assertRefused(client.call(command, new byte[64]), EINVAL);
      assertRefused(client.call(command, new byte[0]), EINVAL);
    }
    assertAlive();
  }

  @Test
  void noneIsAnsweredWhenNoReplyIsWanted() throws Exception {
    for (int command : new int[] {0, 4, 11, 16, 65535}) {
      client.post(command, new byte[0]);
    }
    // The next message is the reply to this one: nothing was sent before it.
    assertAlive();
  }
}
