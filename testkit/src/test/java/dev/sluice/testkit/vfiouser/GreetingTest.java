package dev.sluice.testkit.vfiouser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.vfiouser.server.ServerOptions;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/// A client that does not get as far as agreeing on a version keeps the next one waiting only so
/// long.
class GreetingTest extends ServerTest {
  @Override
  ServerOptions options() {
    return super.options().withReplyLimit(Duration.ofSeconds(1));
  }

  private void assertSentAwayAndTheNextServed(VfioUserClient silent) throws Exception {
    try (silent;
        VfioUserClient next = connector.connect()) {
      assertThat(next.negotiate().isError()).isFalse();
      assertThat(silent.receive()).isNull();
      assertThat(awaitDisconnection()).isEqualTo("it did not propose a version within PT1S");
    }
  }

  private VfioUserClient second() throws Exception {
    client.close();
    awaitDisconnection();
    return connector.connect();
  }

  @Test
  void aClientThatSaysNothingIsSentAway() throws Exception {
    assertSentAwayAndTheNextServed(second());
  }

  @Test
  void aClientThatBeginsToSaySomethingIsSentAwayToo() throws Exception {
    VfioUserClient silent = second();
    silent.sendRaw(new byte[] {1, 0, 1});
    assertSentAwayAndTheNextServed(silent);
  }
}
