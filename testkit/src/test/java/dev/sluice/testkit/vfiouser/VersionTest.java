package dev.sluice.testkit.vfiouser;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/// VERSION. The client of [ServerTest] has one behind it; these connect again.
class VersionTest extends ServerTest {
  private static final int VERSION = 1;
  private static final String OURS =
      "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":1048576}}\0";

  private static byte[] version(int major, int minor, String json) {
    return new Payload().u16(major).u16(minor).text(json).toBytes();
  }

  /// Replaces the client by a new one that has said nothing.
  private void reconnect() throws Exception {
    client.close();
    client = connector.connect();
  }

  private void assertRefusedAndClosed(byte[] payload) throws Exception {
    reconnect();
    assertRefused(client.call(VERSION, payload), EINVAL);
    assertThat(client.receive()).as("end of the connection").isNull();
  }

  @Test
  void qemuIsAnsweredWithItsOwnVersionAndLessThanItCanTake() throws Exception {
    reconnect();
    Message reply = client.negotiate();
    assertThat(reply.flags()).isEqualTo(1);
    assertThat(reply.payload().getShort(0)).isZero();
    assertThat(reply.payload().getShort(2)).isZero();
    assertThat(new String(reply.bytes(4), StandardCharsets.UTF_8)).isEqualTo(OURS);
    assertThat(16 + reply.length()).as("QEMU's buffer for the reply").isLessThanOrEqualTo(214);
    assertAlive();
  }

  @Test
  void aClientThatSaysNoCapabilitiesIsAnswered() throws Exception {
    reconnect();
    Message reply = client.call(VERSION, new Payload().u16(0).u16(1).toBytes());
    assertThat(reply.isError()).isFalse();
    assertThat(reply.payload().getShort(2)).isEqualTo((short) 1);
    assertAlive();
  }

  @Test
  void aHigherMinorVersionIsAnsweredWithOurs() throws Exception {
    reconnect();
    Message reply = client.call(VERSION, version(0, 7, "{\"capabilities\":{}}"));
    assertThat(reply.payload().getShort(2)).isEqualTo((short) 1);
  }

  @Test
  void namesThatAreNotKnownArePassedOver() throws Exception {
    reconnect();
    assertThat(
            client
                .call(
                    VERSION,
                    version(
                        0,
                        1,
                        "{\"new\":[1,{\"a\":2}],\"capabilities\":{\"twin_socket\":{\"supported\":true},\"x\":null}}"))
                .isError())
        .isFalse();
    assertAlive();
  }

  @Test
  void anotherMajorVersionIsRefused() throws Exception {
    assertRefusedAndClosed(version(1, 0, "{}"));
  }

  @Test
  void textThatIsNoCapabilitiesIsRefused() throws Exception {
    for (String json :
        new String[] {
          "",
          "{",
          "[]",
          "{\"capabilities\":7}",
          "{\"capabilities\":{\"max_msg_fds\":\"8\"}}",
          "{\"capabilities\":{\"max_msg_fds\":-1}}",
          "{\"capabilities\":{\"max_data_xfer_size\":0}}",
          "{\"capabilities\":{\"max_data_xfer_size\":1.5}}",
          "{\"capabilities\":{\"max_data_xfer_size\":99999999999999999999}}",
          "{\"capabilities\":{}} {}",
          "{\"capabilities\":{},\"capabilities\":{}}",
          "{\"a\":" + "[".repeat(2000),
        }) {
      assertRefusedAndClosed(version(0, 0, json));
    }
  }

  @Test
  void textThatDoesNotEndWithItsOnlyNulIsRefused() throws Exception {
    assertRefusedAndClosed(
        new Payload().u16(0).u16(0).bytes("{}".getBytes(StandardCharsets.UTF_8)).toBytes());
    assertRefusedAndClosed(version(0, 0, "{}\0{}"));
  }

  @Test
  void textThatIsTooLongToBeMeantIsRefused() throws Exception {
    assertRefusedAndClosed(version(0, 0, "{\"a\":\"" + "x".repeat(5000) + "\"}"));
  }

  @Test
  void aMessageWithoutAVersionIsRefused() throws Exception {
    assertRefusedAndClosed(new byte[0]);
    assertRefusedAndClosed(new byte[3]);
  }

  @Test
  void anyOtherCommandBeforeItIsRefused() throws Exception {
    reconnect();
    assertRefused(client.call(4, deviceInfo()), EINVAL);
    assertThat(client.receive()).isNull();
  }

  @Test
  void aSecondOneIsRefusedAndTheSessionGoesOn() throws Exception {
    assertRefused(client.call(VERSION, version(0, 0, "{}")), EINVAL);
    assertAlive();
  }
}
