package dev.sluice.testkit.vfiouser;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// DEVICE_GET_INFO.
class DeviceGetInfoTest extends ServerTest {
  private static final int GET_INFO = 4;

  @Test
  void itIsAPciDeviceThatCanBeResetWithNineRegionsAndFiveKindsOfInterrupts() throws Exception {
    Message reply = client.call(GET_INFO, deviceInfo());
    assertDone(reply, 16);
    assertThat(reply.u32(0)).isEqualTo(16);
    assertThat(reply.u32(4)).isEqualTo(3);
    assertThat(reply.u32(8)).isEqualTo(9);
    assertThat(reply.u32(12)).isEqualTo(5);
  }

  @Test
  void aClientThatHasRoomForMoreGetsTheSame() throws Exception {
    Message reply = client.call(GET_INFO, new Payload().u32(32).u32(0).u64(0).toBytes());
    assertDone(reply, 16);
    assertThat(reply.u32(0)).isEqualTo(16);
  }

  @Test
  void oneThatHasNoRoomForItIsRefused() throws Exception {
    assertRefused(client.call(GET_INFO, new Payload().u32(15).u32(0).u64(0).toBytes()), EINVAL);
    assertRefused(client.call(GET_INFO, new Payload().u32(16).u64(0).toBytes()), EINVAL);
    assertRefused(client.call(GET_INFO, new byte[0]), EINVAL);
    assertAlive();
  }
}
