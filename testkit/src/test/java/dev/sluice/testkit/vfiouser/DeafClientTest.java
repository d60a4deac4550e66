package dev.sluice.testkit.vfiouser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testkit.vfiouser.PeerRam.Layout;
import dev.sluice.vfiouser.server.ServerOptions;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/// A client that sends and does not read: nobody but its own session waits for it, however long
/// that may take.
class DeafClientTest extends ServerTest {
  private static final int FLOOD = 200;

  @Override
  ServerOptions options() {
    return new ServerOptions(
        Duration.ofMinutes(1), Duration.ofMinutes(1), Duration.ofDays(1), this);
  }

  @Test
  void postedMessagesDoNotWaitAndComeWhenItReadsAgain() throws Exception {
    PeerRam apic = new PeerRam(Layout.SPECIFIED, 0xfee00000L, 4096);
    assertThat(server.postMessageWrite(0xfee00000L, 1)).isTrue();
    client.answer(client.request(), apic);
    client.answer(client.request(), apic);
    // Replies of 4 KiB each, more than a socket holds.
    int[] ids = new int[FLOOD];
    for (int i = 0; i < FLOOD; i++) {
      ids[i] = client.send(9, VfioUserClient.access(7, 0, 4096));
    }

    for (int data = 2; data < 102; data++) {
      assertThat(server.postMessageWrite(0xfee00000L, data)).isTrue();
    }

    client.serve(apic);
    for (int id : ids) {
      assertDone(client.reply(id), 16 + 4096);
    }
    while (apic.bytes()[0] != 101) {
      client.read(7, 0, 4);
    }
  }
}
