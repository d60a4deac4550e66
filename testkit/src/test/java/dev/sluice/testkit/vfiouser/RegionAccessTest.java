package dev.sluice.testkit.vfiouser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.vfiouser.server.ServerStatistics;
import org.junit.jupiter.api.Test;

/// REGION_READ and REGION_WRITE.
class RegionAccessTest extends ServerTest {
  private static final int READ = 9;
  private static final int WRITE = 10;
  private static final int CONFIG = 7;

  @Test
  void whatIsWrittenIsRead() throws Exception {
    Message reply = client.write(0, 16, (byte) 1, (byte) 2, (byte) 3, (byte) 4);
    assertDone(reply, 16);
    assertThat(reply.u64(0)).isEqualTo(16);
    assertThat(reply.u32(8)).isZero();
    assertThat(reply.u32(12)).isEqualTo(4);
    assertThat(client.read(0, 16, 4)).containsExactly(1, 2, 3, 4);
    assertThat(function.accesses).containsExactly("w16/4", "r16/4");
  }

  @Test
  void theReplyToAReadRepeatsTheRequestAndHasTheData() throws Exception {
    function.registers[8] = 42;
    Message reply = client.call(READ, VfioUserClient.access(0, 8, 8));
    assertDone(reply, 24);
    assertThat(reply.u64(0)).isEqualTo(8);
    assertThat(reply.u32(8)).isZero();
    assertThat(reply.u32(12)).isEqualTo(8);
    assertThat(reply.u64(16)).isEqualTo(42);
  }

  @Test
  void anAccessIsCutIntoNaturallyAlignedPieces() throws Exception {
    client.read(0, 3, 14);
    assertThat(function.accesses).containsExactly("r3/1", "r4/4", "r8/8", "r16/1");
    function.accesses.clear();
    client.write(0, 6, new byte[6]);
    assertThat(function.accesses).containsExactly("w6/2", "w8/4");
  }

  @Test
  void postedWritesAreServedInOrderAndWithoutAReply() throws Exception {
    for (int i = 0; i < 100; i++) {
      client.postWrite(0, 4L * (i % 8), (byte) i, (byte) 0, (byte) 0, (byte) 0);
    }
    assertThat(client.read(0, 12, 1)).containsExactly(99);
    assertSilent();
    assertThat(function.accesses).hasSize(101);
  }

  @Test
  void accessesAreCountedAsTheyCameAndRefusedOnesAreNot() throws Exception {
    ServerStatistics before = server.statistics();
    client.read(0, 3, 14);
    client.write(0, 0, (byte) 1);
    client.postWrite(0, 4, (byte) 1);
    client.read(CONFIG, 0, 4);
    assertRefused(client.call(READ, VfioUserClient.access(0, 4096, 1)), EINVAL);
    ServerStatistics after = server.statistics();
    assertThat(after.barReads() - before.barReads()).isEqualTo(1);
    assertThat(after.barWrites() - before.barWrites()).isEqualTo(2);
    assertThat(after.configAccesses() - before.configAccesses()).isEqualTo(1);
    assertThat(after.interrupts()).isZero();
  }

  @Test
  void theWholeConfigurationSpaceIsReadAtOnce() throws Exception {
    byte[] config = client.read(CONFIG, 0, 4096);
    assertThat(config).hasSize(4096).startsWith(0x36, 0x1b, 0x11, 0x00);
    assertThat(config[0x3d]).as("interrupt pin").isEqualTo((byte) 1);
  }

  @Test
  void aBarAnswersOnesWithItsSize() throws Exception {
    client.write(CONFIG, 0x10, (byte) -1, (byte) -1, (byte) -1, (byte) -1);
    assertThat(client.read(CONFIG, 0x10, 4)).containsExactly(0x00, 0xf0, 0xff, 0xff);
  }

  @Test
  void anAccessToNothingSucceeds() throws Exception {
    assertDone(client.call(READ, VfioUserClient.access(0, 4096, 0)), 16);
    assertDone(client.call(WRITE, VfioUserClient.access(0, 0, 0)), 16);
    assertThat(function.accesses).isEmpty();
  }

  @Test
  void anAccessThatLeavesItsRegionIsRefused() throws Exception {
    assertRefused(client.call(READ, VfioUserClient.access(0, 4096, 1)), EINVAL);
    assertRefused(client.call(READ, VfioUserClient.access(0, 4093, 4)), EINVAL);
    assertRefused(client.call(READ, VfioUserClient.access(0, -4, 8)), EINVAL);
    assertRefused(client.call(READ, VfioUserClient.access(0, Long.MAX_VALUE, 8)), EINVAL);
    assertRefused(client.call(READ, VfioUserClient.access(0, 0, 4097)), EINVAL);
    assertRefused(client.call(READ, VfioUserClient.access(0, 0, -1)), EINVAL);
    assertRefused(client.call(WRITE, VfioUserClient.access(0, 4095, 2, new byte[2])), EINVAL);
    assertThat(function.accesses).isEmpty();
  }

  @Test
  void aRegionThatIsNotThereIsRefused() throws Exception {
    for (int region : new int[] {1, 3, 4, 5, 6, 8, 9, -1}) {
      assertRefused(client.call(READ, VfioUserClient.access(region, 0, 4)), EINVAL);
      assertRefused(client.call(WRITE, VfioUserClient.access(region, 0, 1, (byte) 0)), EINVAL);
    }
    assertAlive();
  }

  @Test
  void aWriteWithLessDataThanItSaysIsRefused() throws Exception {
    assertRefused(client.call(WRITE, VfioUserClient.access(0, 0, 4, new byte[3])), EINVAL);
    assertRefused(client.call(WRITE, new byte[15]), EINVAL);
    assertRefused(client.call(READ, new byte[15]), EINVAL);
    assertThat(function.accesses).isEmpty();
  }

  @Test
  void aDeviceThatThrowsReadsAsOnesAndTheSessionGoesOn() throws Exception {
    function.onRead =
        () -> {
          throw new IllegalStateException("a defect of the device");
        };
    assertThat(client.read(0, 0, 4)).containsExactly(0xff, 0xff, 0xff, 0xff);
    assertThat(failures.take()).hasMessage("a defect of the device");
    assertAlive();
  }
}
