package dev.sluice.testkit.vfiouser;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.dma.Mapping;
import dev.sluice.dma.MappingRevokedException;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.Access;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.RegionHold;
import dev.sluice.vfiouser.server.ServerOptions;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/// DMA_UNMAP.
class DmaUnmapTest {
  private static final int DMA_UNMAP = 3;
  private static final int ALL = 2;

  abstract static class UnmapTest extends ServerTest {
    void map(long iova, long size) throws Exception {
      assertDone(client.map(iova, size, 0, true, memory(size).attachment()), 0);
    }

    boolean isMapped(long address) {
      return server.memory().statusAt(address, Access.READ) != MemoryStatus.HOLE;
    }

    RegionHold hold(long address) {
      return Objects.requireNonNull(server.memory().hold(address, 1, Access.READ));
    }
  }

  @Nested
  class WithNothingHeld extends UnmapTest {
    @Test
    void theReplyRepeatsTheRequestAndTheMemoryIsGone() throws Exception {
      map(0x10000, 0x2000);
      Message reply = client.unmap(0x10000, 0x2000);
      assertDone(reply, 24);
      assertThat(reply.u32(0)).isEqualTo(24);
      assertThat(reply.u32(4)).isZero();
      assertThat(reply.u64(8)).isEqualTo(0x10000);
      assertThat(reply.u64(16)).isEqualTo(0x2000);
      assertThat(isMapped(0x10000)).isFalse();
      map(0x10000, 0x1000);
    }

    @Test
    void everyMappingInsideTheRangeGoesAsWithVfiosOwnIommu() throws Exception {
      map(0x10000, 0x1000);
      map(0x12000, 0x1000);
      map(0x20000, 0x1000);
      assertDone(client.unmap(0, 0x20000), 24);
      assertThat(isMapped(0x10000)).isFalse();
      assertThat(isMapped(0x12000)).isFalse();
      assertThat(isMapped(0x20000)).isTrue();
    }

    @Test
    void aRangeThatEndsWithTheAddressSpaceIsPossible() throws Exception {
      map(0xfef00000L, 0x1000);
      map(-0x1000, 0x1000);
      // What QEMU sends when its own IOMMU is switched off.
      assertDone(client.unmap(0xfef00000L, 0xffffffff01100000L), 24);
      assertThat(isMapped(0xfef00000L)).isFalse();
      assertThat(isMapped(-1)).isFalse();
    }

    @Test
    void allOfItGoesAtOnceAndAgain() throws Exception {
      map(0, 0x1000);
      map(-0x1000, 0x1000);
      assertDone(client.call(DMA_UNMAP, VfioUserClient.unmapping(0, 0, ALL)), 24);
      assertThat(isMapped(0)).isFalse();
      assertThat(isMapped(-1)).isFalse();
      assertDone(client.call(DMA_UNMAP, VfioUserClient.unmapping(0, 0, ALL)), 24);
    }

    @Test
    void aRangeThatWouldCutAMappingIsRefusedAndChangesNothing() throws Exception {
      map(0x10000, 0x2000);
      map(0x12000, 0x1000);
      assertRefused(client.unmap(0x11000, 0x2000), EINVAL);
      assertRefused(client.unmap(0x10000, 0x1000), EINVAL);
      assertRefused(client.unmap(0x11000, 0x1000), EINVAL);
      assertThat(isMapped(0x10000)).isTrue();
      assertThat(isMapped(0x12000)).isTrue();
    }

    @Test
    void aRangeWithoutMappingsIsRefused() throws Exception {
      map(0x10000, 0x1000);
      assertRefused(client.unmap(0x11000, 0x1000), ENOENT);
    }

    @Test
    void whatMakesNoSenseIsRefused() throws Exception {
      map(0x10000, 0x1000);
      for (byte[] request :
          new byte[][] {
            VfioUserClient.unmapping(0x10000, 0, 0),
            VfioUserClient.unmapping(-0x1000, 0x2000, 0),
            VfioUserClient.unmapping(0x10000, 0, ALL),
            VfioUserClient.unmapping(0, 0x1000, ALL),
            VfioUserClient.unmapping(0x10000, 0x1000, 1),
            VfioUserClient.unmapping(0, 0, ALL | 1),
            VfioUserClient.unmapping(0x10000, 0x1000, 4),
            new Payload().u32(23).u32(0).u64(0x10000).u64(0x1000).toBytes(),
            new byte[23],
            new byte[0]
          }) {
        assertRefused(client.call(DMA_UNMAP, request), EINVAL);
      }
      assertThat(isMapped(0x10000)).isTrue();
      assertAlive();
    }

    @Test
    void aStrayDescriptorIsNoMistake() throws Exception {
      map(0x10000, 0x1000);
      // SPDK attaches one.
      Message reply =
          client.call(
              DMA_UNMAP, VfioUserClient.unmapping(0x10000, 0x1000, 0), memory(0x1000).attachment());
      assertDone(reply, 24);
    }

    @Test
    void itWorksWithoutAReply() throws Exception {
      map(0x10000, 0x1000);
      client.post(DMA_UNMAP, VfioUserClient.unmapping(0x10000, 0x1000, 0));
      assertAlive();
      assertThat(isMapped(0x10000)).isFalse();
    }
  }

  @Nested
  class WithMemoryThatIsHeld extends UnmapTest {
    @Test
    void theReplyWaitsUntilItIsLetGo() throws Exception {
      map(0x10000, 0x1000);
      RegionHold hold = hold(0x10000);
      int unmap = client.send(DMA_UNMAP, VfioUserClient.unmapping(0x10000, 0x1000, 0));
      awaitUnmapped(0x10000);
      assertSilent();
      hold.bytes().set(JAVA_BYTE, 0, (byte) 1);

      hold.close();
      assertDone(client.reply(unmap), 24);
    }

    @Test
    void whatComesMeanwhileIsServedAfterwardsInOrder() throws Exception {
      map(0x10000, 0x1000);
      RegionHold hold = hold(0x10000);
      int unmap = client.send(DMA_UNMAP, VfioUserClient.unmapping(0x10000, 0x1000, 0));
      int map =
          client.send(
              2, VfioUserClient.mapping(0x10000, 0x1000, 0, 3), memory(0x1000).attachment());
      for (int i = 0; i < 50; i++) {
        client.postWrite(0, 0, (byte) i);
      }
      int read = client.send(9, VfioUserClient.access(0, 0, 1));
      awaitUnmapped(0x10000);
      assertThat(function.accesses).isEmpty();

      hold.close();
      assertDone(client.reply(unmap), 24);
      assertDone(client.reply(map), 0);
      assertThat(client.reply(read).bytes(16)).containsExactly(49);
      assertThat(isMapped(0x10000)).isTrue();
    }

    @Test
    void moreThanCanBeKeptWaitsInTheSocket() throws Exception {
      map(0x10000, 0x1000);
      RegionHold hold = hold(0x10000);
      int unmap = client.send(DMA_UNMAP, VfioUserClient.unmapping(0x10000, 0x1000, 0));
      awaitUnmapped(0x10000);
      Thread sender =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  for (int i = 0; i < 50; i++) {
                    client.postWrite(0, 0, new byte[256 << 10]);
                  }
                } catch (Exception e) {
                  throw new AssertionError(e);
                }
              });
      // The sender is held up: what it has still to send is more than the server and the socket
      // keep.
      assertSilent();
      assertThat(sender.isAlive()).isTrue();
      hold.close();
      assertDone(client.reply(unmap), 24);
      sender.join();
      assertAlive();
    }

    @Test
    void twoUnmapsOneAfterTheOtherWaitForTheirOwn() throws Exception {
      map(0x10000, 0x1000);
      map(0x20000, 0x1000);
      RegionHold first = hold(0x10000);
      RegionHold second = hold(0x20000);
      int one = client.send(DMA_UNMAP, VfioUserClient.unmapping(0x10000, 0x1000, 0));
      int two = client.send(DMA_UNMAP, VfioUserClient.unmapping(0x20000, 0x1000, 0));
      awaitUnmapped(0x10000);
      first.close();
      assertDone(client.reply(one), 24);
      awaitUnmapped(0x20000);
      assertSilent();
      second.close();
      assertDone(client.reply(two), 24);
    }

    @Test
    void aClientThatLeavesMeanwhileIsForgotten() throws Exception {
      map(0x10000, 0x1000);
      RegionHold hold = hold(0x10000);
      client.send(DMA_UNMAP, VfioUserClient.unmapping(0x10000, 0x1000, 0));
      client.send(2, VfioUserClient.mapping(0, 0x1000, 0, 3), memory(0x1000).attachment());
      awaitUnmapped(0x10000);
      client.close();
      awaitDisconnection();
      client = connector.connect();
      client.negotiate();
      assertThat(isMapped(0)).isFalse();
      map(0x10000, 0x1000);
      hold.close();
      assertAlive();
      assertThat(isMapped(0x10000)).isTrue();
    }

    private void awaitUnmapped(long address) {
      await(() -> !isMapped(address));
    }
  }

  @Nested
  class WithADeviceThatNeverLetsGo extends UnmapTest {
    @Override
    ServerOptions options() {
      return super.options().withReplyLimit(Duration.ofMillis(20));
    }

    @Test
    void theClientIsToldInTimeAndNothingNewFindsTheMemory() throws Exception {
      map(0x10000, 0x1000);
      RegionHold hold = hold(0x10000);
      assertRefused(client.unmap(0x10000, 0x1000), EBUSY);
      assertThat(isMapped(0x10000)).isFalse();
      hold.close();
      assertAlive();
      map(0x10000, 0x1000);
    }
  }

  @Nested
  class WithAMappingOfADevice extends UnmapTest {
    @Test
    void theReplyComesWhenTheMappingIsClosed() throws Exception {
      map(0x10000, 0x1000);
      function.config().write(4, 2, 4);
      int unmap;
      try (Mapping mapping = (Mapping) dma.map(0x10000, 0x1000, Access.READ_WRITE)) {
        assertThat(mapping.length()).isEqualTo(0x1000);
        unmap = client.send(DMA_UNMAP, VfioUserClient.unmapping(0x10000, 0x1000, 0));
        await(() -> !isMapped(0x10000));
        assertSilent();
      }
      assertDone(client.reply(unmap), 24);
    }

    @Test
    void aMappingThatIsTakenAwayDoesNotHoldTheReplyUp() throws Exception {
      map(0x10000, 0x1000);
      function.config().write(4, 2, 4);
      dma.revocation(Revocation.immediately());
      try (Mapping mapping = (Mapping) dma.map(0x10000, 0x1000, Access.READ_WRITE)) {
        assertDone(client.unmap(0x10000, 0x1000), 24);
        assertThatThrownBy(() -> mapping.fill(0, 1, (byte) 1))
            .isInstanceOf(MappingRevokedException.class);
      }
      assertAlive();
    }
  }
}
