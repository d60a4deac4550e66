package dev.sluice.testkit.vfiouser;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/// DMA_MAP.
class DmaMapTest extends ServerTest {
  private static final int DMA_MAP = 2;
  private static final int ENOSPC = 28;
  private static final long IOVA = 0x1_0000_0000L;

  private byte loaded(long address) {
    MemorySegment into = arena.allocate(1);
    assertThat(server.memory().read(address, into, 0, 1)).isEqualTo(1);
    return into.get(JAVA_BYTE, 0);
  }

  private MemoryStatus statusAt(long address) {
    return server.memory().statusAt(address, Access.WRITE);
  }

  @Test
  void theDeviceSeesTheClientsBytesAndTheOtherWayRound() throws Exception {
    ClientMemory shared = memory(0x4000);
    assertDone(client.map(IOVA, 0x2000, 0x1000, true, shared.attachment()), 0);

    shared.bytes().set(JAVA_BYTE, 0x1005, (byte) 77);
    assertThat(loaded(IOVA + 5)).isEqualTo((byte) 77);

    MemorySegment from = arena.allocateFrom(JAVA_BYTE, (byte) 1, (byte) 2, (byte) 3);
    assertThat(dma.write(IOVA + 0x1ffd, from, 0, 3)).isNotNull();
    function.config().write(4, 2, 4);
    assertThat(dma.write(IOVA + 0x1ffd, from, 0, 3)).isNull();
    assertThat(shared.bytes().asSlice(0x2ffd, 3).toArray(JAVA_BYTE)).containsExactly(1, 2, 3);
    assertThat(statusAt(IOVA - 1)).isEqualTo(MemoryStatus.HOLE);
    assertThat(statusAt(IOVA + 0x2000)).isEqualTo(MemoryStatus.HOLE);
  }

  @Test
  void memoryWithoutTheRightToWriteIsReadOnly() throws Exception {
    ClientMemory shared = memory(0x1000);
    shared.bytes().set(JAVA_BYTE, 0, (byte) 5);
    assertDone(client.map(IOVA, 0x1000, 0, false, shared.attachment()), 0);
    assertThat(loaded(IOVA)).isEqualTo((byte) 5);
    assertThat(statusAt(IOVA)).isEqualTo(MemoryStatus.READ_ONLY);
  }

  @Test
  void memoryWithoutADescriptorIsReachedByMessages() throws Exception {
    assertDone(client.map(IOVA, 0x1000, 0, true), 0);
    assertThat(statusAt(IOVA)).isEqualTo(MemoryStatus.OK);
    assertThat(server.memory().holdStatusAt(IOVA, Access.READ)).isEqualTo(MemoryStatus.WOULD_BLOCK);
  }

  @Test
  void theSameMemoryMayBeMappedInSeveralPlaces() throws Exception {
    ClientMemory shared = memory(0x1000);
    shared.bytes().set(JAVA_BYTE, 9, (byte) 9);
    assertDone(client.map(0, 0x1000, 0, true, shared.attachment()), 0);
    assertDone(client.map(0x1000, 0x1000, 0, true, shared.attachment()), 0);
    assertThat(loaded(9)).isEqualTo((byte) 9);
    assertThat(loaded(0x1009)).isEqualTo((byte) 9);
  }

  @Test
  void theLastPageOfTheAddressSpaceCanBeMapped() throws Exception {
    ClientMemory shared = memory(0x1000);
    assertDone(client.map(-0x1000, 0x1000, 0, true, shared.attachment()), 0);
    assertThat(statusAt(-1)).isEqualTo(MemoryStatus.OK);
  }

  @Test
  void whatIsMappedAlreadyIsRefusedEvenInTheSameWay() throws Exception {
    ClientMemory shared = memory(0x3000);
    assertDone(client.map(IOVA, 0x2000, 0, true, shared.attachment()), 0);
    assertRefused(client.map(IOVA, 0x2000, 0, true, shared.attachment()), EEXIST);
    assertRefused(client.map(IOVA + 0x1000, 0x2000, 0, true, shared.attachment()), EEXIST);
    assertRefused(client.map(IOVA - 0x1000, 0x2000, 0, true), EEXIST);
    assertThat(statusAt(IOVA - 0x1000)).isEqualTo(MemoryStatus.HOLE);
    assertThat(statusAt(IOVA)).isEqualTo(MemoryStatus.OK);
  }

  @Test
  void whatTheFileDoesNotReachIsRefused() throws Exception {
    ClientMemory shared = memory(0x2000);
    assertRefused(client.map(IOVA, 0x2000, 0x1000, true, shared.attachment()), EINVAL);
    assertRefused(client.map(IOVA, 0x1000, -0x1000, true, shared.attachment()), EINVAL);
    assertRefused(client.map(IOVA, Long.MAX_VALUE, 0, true, shared.attachment()), EINVAL);
    assertThat(statusAt(IOVA)).isEqualTo(MemoryStatus.HOLE);
  }

  @Test
  void somethingThatIsNoMemoryIsRefused() throws Exception {
    assertRefused(client.map(IOVA, 0x1000, 0, true, event().attachment()), ENODEV);
    assertThat(statusAt(IOVA)).isEqualTo(MemoryStatus.HOLE);
  }

  @Test
  void whatMakesNoSenseIsRefused() throws Exception {
    ClientMemory shared = memory(0x1000);
    for (byte[] request :
        new byte[][] {
          VfioUserClient.mapping(IOVA, 0, 0, 3),
          VfioUserClient.mapping(-0x1000, 0x2000, 0, 3),
          VfioUserClient.mapping(0, -1, 0, 3),
          VfioUserClient.mapping(IOVA, 0x1000, 0, 0),
          VfioUserClient.mapping(IOVA, 0x1000, 0, 2),
          VfioUserClient.mapping(IOVA, 0x1000, 0, 7),
          VfioUserClient.mapping(IOVA, 0x1000, 0, 1 << 31 | 3),
          new Payload().u32(31).u32(3).u64(0).u64(IOVA).u64(0x1000).toBytes(),
          new byte[31],
          new byte[0]
        }) {
      assertRefused(client.call(DMA_MAP, request, shared.attachment()), EINVAL);
    }
    assertRefused(
        client.map(IOVA, 0x1000, 0, true, shared.attachment(), shared.attachment()), EINVAL);
    assertThat(statusAt(IOVA)).isEqualTo(MemoryStatus.HOLE);
    assertAlive();
  }

  @Test
  void asManyRegionsAsThereMayBeAndOneMore() throws Exception {
    for (long i = 0; i < GuestMemory.MAX_REGIONS; i++) {
      client.post(DMA_MAP, VfioUserClient.mapping(i << 12, 0x1000, 0, 3));
    }
    assertRefused(client.map(IOVA, 0x1000, 0, true), ENOSPC);
    assertDone(client.unmap(0, 0x1000), 24);
    assertDone(client.map(IOVA, 0x1000, 0, true), 0);
  }

  @Test
  void mapsThatArePipelinedAreAnsweredInOrder() throws Exception {
    ClientMemory shared = memory(0x1000);
    int[] ids = new int[20];
    for (int i = 0; i < ids.length; i++) {
      ids[i] =
          client.send(
              DMA_MAP, VfioUserClient.mapping((long) i << 12, 0x1000, 0, 3), shared.attachment());
    }
    for (int id : ids) {
      assertDone(client.reply(id), 0);
    }
  }
}
