package dev.sluice.testkit.vfiouser;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// DEVICE_GET_REGION_INFO and DEVICE_GET_REGION_IO_FDS.
class RegionInfoTest extends ServerTest {
  private static final int GET_REGION_INFO = 5;
  private static final int GET_REGION_IO_FDS = 6;

  private static byte[] regionInfo(int argsz, int index) {
    return new Payload().u32(argsz).u32(0).u32(index).u32(0).u64(0).u64(0).toBytes();
  }

  private void assertRegion(int index, int flags, long size) throws Exception {
    Message reply = client.call(GET_REGION_INFO, regionInfo(32, index));
    assertDone(reply, 32);
    assertThat(reply.u32(0)).as("argsz").isEqualTo(32);
    assertThat(reply.u32(4)).as("flags").isEqualTo(flags);
    assertThat(reply.u32(8)).as("index").isEqualTo(index);
    assertThat(reply.u32(12)).as("capabilities").isZero();
    assertThat(reply.u64(16)).as("size").isEqualTo(size);
    assertThat(reply.u64(24)).as("offset").isZero();
  }

  @Test
  void eachRegionHasItsSizeAndTheOthersHaveNone() throws Exception {
    long msix = function.bar(2).orElseThrow().size();
    long[] sizes = {4096, 0, msix, 0, 0, 0, 0, 4096, 0};
    for (int index = 0; index < sizes.length; index++) {
      assertRegion(index, sizes[index] == 0 ? 0 : 3, sizes[index]);
    }
  }

  @Test
  void aRequestAsLongAsSpdksGetsTheSameReply() throws Exception {
    byte[] request = new byte[4064];
    System.arraycopy(regionInfo(4064, 7), 0, request, 0, 32);
    Message reply = client.call(GET_REGION_INFO, request);
    assertDone(reply, 32);
    assertThat(reply.u32(0)).isEqualTo(32);
  }

  @Test
  void aRegionThatCannotBeOrARequestThatIsTooShortIsRefused() throws Exception {
    assertRefused(client.call(GET_REGION_INFO, regionInfo(32, 9)), EINVAL);
    assertRefused(client.call(GET_REGION_INFO, regionInfo(32, -1)), EINVAL);
    assertRefused(client.call(GET_REGION_INFO, regionInfo(31, 0)), EINVAL);
    assertRefused(client.call(GET_REGION_INFO, new byte[31]), EINVAL);
    assertAlive();
  }

  @Test
  void noRegionHasDescriptors() throws Exception {
    Message reply =
        client.call(GET_REGION_IO_FDS, new Payload().u32(16).u32(0).u32(0).u32(0).toBytes());
    assertDone(reply, 16);
    assertThat(reply.u32(0)).isEqualTo(16);
    assertThat(reply.u32(12)).as("count").isZero();
  }

  @Test
  void aBadRequestForDescriptorsIsRefused() throws Exception {
    for (byte[] request :
        new byte[][] {
          new Payload().u32(15).u32(0).u32(0).u32(0).toBytes(),
          new Payload().u32(16).u32(1).u32(0).u32(0).toBytes(),
          new Payload().u32(16).u32(0).u32(9).u32(0).toBytes(),
          new Payload().u32(16).u32(0).u32(0).u32(1).toBytes(),
          new byte[12]
        }) {
      assertRefused(client.call(GET_REGION_IO_FDS, request), EINVAL);
    }
    assertAlive();
  }
}
