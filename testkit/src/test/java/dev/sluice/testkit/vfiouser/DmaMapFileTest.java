package dev.sluice.testkit.vfiouser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.host.SystemCallException;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.Word;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

/// DMA_MAP of a file, which its client can cut short or seal against that. Only a socket carries
/// files: in this process, memory keeps its size.
class DmaMapFileTest extends ServerFixture {
  private static final long IOVA = 0x1_0000_0000L;

  @Test
  void aFileThatTheClientMayCutShortHasNoAtomics() throws Exception {
    ClientMemory shared = memory(0x1000);
    assertDone(client.map(IOVA, 0x1000, 0, true, shared.attachment()), 0);
    assertThat(add(IOVA)).isEqualTo(MemoryStatus.NO_ATOMICS);
    shared.truncate(0);
    assertThat(add(IOVA)).isEqualTo(MemoryStatus.NO_ATOMICS);
    assertAlive();
  }

  @Test
  void aFileSealedAgainstThatHasAtomics() throws Exception {
    try (ClientMemory shared = ClientMemory.sealedFile(0x1000)) {
      assertDone(client.map(IOVA, 0x1000, 0, true, shared.attachment()), 0);
      assertThatThrownBy(() -> shared.truncate(0))
          .isInstanceOf(SystemCallException.class)
          .hasMessageContaining("EPERM");
      assertThat(add(IOVA)).isEqualTo(MemoryStatus.OK);
      assertThat(shared.bytes().get(ValueLayout.JAVA_LONG, 0)).isEqualTo(1);
    }
  }

  @Test
  void aFileCutShortBehindTheMapIsAFailedAccessAndNoMore() throws Exception {
    ClientMemory shared = memory(0x2000);
    assertDone(client.map(IOVA, 0x2000, 0, true, shared.attachment()), 0);
    shared.truncate(0x1000);
    MemorySegment into = arena.allocate(16);
    try {
      assertThat(server.memory().read(IOVA + 0x1000, into, 0, 16)).isZero();
    } catch (InternalError late) {
      // Where the copy is compiled already the fault may be noticed behind it: see GuestMemory.
      assertThat(late).hasMessageContaining("unsafe memory access");
    }
    assertThat(server.memory().read(IOVA, into, 0, 16)).isEqualTo(16);
    assertAlive();
  }

  private MemoryStatus add(long address) {
    return server.memory().fetchAndAdd(address, 8, ByteOrder.nativeOrder(), 1, new Word());
  }
}
