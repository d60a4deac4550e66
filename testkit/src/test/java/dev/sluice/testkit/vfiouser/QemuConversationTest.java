package dev.sluice.testkit.vfiouser;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.memory.Access;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.vfiouser.transport.Attachment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What QEMU 11.1.3 says, in its order, when a q35 machine with 512 MiB of shared memory starts,
/// boots and resets. QEMU drops the device when any of these replies has another size than it
/// expects.
class QemuConversationTest extends ServerTest {
  private static final long LOW = 0x80000000L;
  private static final int INTX = 0;
  private static final int MSIX = 2;
  private static final int ERR = 3;
  private static final int CONFIG = 7;

  @Test
  void theMachineStartsBootsResetsAndEnds() throws Exception {
    ClientMemory ram = memory(1 << 20);
    realize(ram);
    machineReset();
    firmware(ram);
    machineReset();
    // The disable of MSI-X that ends a driver, then the end of QEMU, which says nothing.
    assertDone(client.setIrqs(0x21, MSIX, 0, 0), 0);
    client.close();
    assertThat(awaitDisconnection()).isEqualTo("it closed the connection");
    assertThat(failures).isEmpty();
  }

  /// From the connection on: the negotiation is behind us.
  private void realize(ClientMemory ram) throws Exception {
    int low = client.send(2, VfioUserClient.mapping(0, 0xa0000, 0, 3), ram.attachment());
    int rom = client.send(2, VfioUserClient.mapping(0xfffc0000L, 0x40000, 0, 1));
    assertDone(client.reply(low), 0);
    assertDone(client.reply(rom), 0);

    assertDone(client.call(4, deviceInfo()), 16);
    for (int region : new int[] {0, 1, 2, 3, 4, 5, CONFIG}) {
      byte[] info = new Payload().u32(32).u32(0).u32(region).u32(0).u64(0).u64(0).toBytes();
      assertDone(client.call(5, info), 32);
    }
    assertDone(client.call(7, irqInfo(ERR)), 16);

    byte[] config = client.read(CONFIG, 0, 4096);
    assertThat(config).hasSize(4096);
    // ROM sizing, then the BARs' types.
    assertDone(client.write(CONFIG, 0x30, (byte) 0, (byte) -8, (byte) -1, (byte) -1), 16);
    assertThat(client.read(CONFIG, 0x30, 4)).containsExactly(0, 0, 0, 0);
    assertDone(client.write(CONFIG, 0x30, new byte[4]), 16);
    for (int bar = 0; bar < 6; bar++) {
      assertThat(client.read(CONFIG, 0x10 + 4 * bar, 4)).hasSize(4);
    }
    int msix = capability(config, 0x11);
    assertThat(client.read(CONFIG, msix + 2, 2)).containsExactly(RegisterFunction.VECTORS - 1, 0);
    assertThat(client.read(CONFIG, msix + 4, 4)).containsExactly(2, 0, 0, 0);
    assertThat(client.read(CONFIG, msix + 8, 4)).containsExactly(2, 0x10, 0, 0);
    assertDone(client.call(7, irqInfo(MSIX)), 16);
    armPin();
  }

  private void armPin() throws Exception {
    assertDone(client.setIrqs(0x24, INTX, 0, 1, event().attachment()), 0);
    assertDone(client.setIrqs(0x09, INTX, 0, 1), 0);
    assertDone(client.setIrqs(0x14, INTX, 0, 1, event().attachment()), 0);
    assertDone(client.setIrqs(0x11, INTX, 0, 1), 0);
    assertDone(client.setIrqs(0x24, ERR, 0, 1, event().attachment()), 0);
  }

  private void machineReset() throws Exception {
    assertDone(client.setIrqs(0x11, INTX, 0, 1), 0);
    assertDone(client.setIrqs(0x21, INTX, 0, 0), 0);
    assertThat(client.read(CONFIG, 4, 2)).hasSize(2);
    assertDone(client.write(CONFIG, 4, (byte) 0, (byte) 0), 16);
    assertDone(client.call(13, new byte[0]), 0);
    armPin();
    for (int bar = 0; bar < 6; bar++) {
      assertDone(client.write(CONFIG, 0x10 + 4 * bar, new byte[4]), 16);
    }
  }

  private void firmware(ClientMemory ram) throws Exception {
    // The shadow of the firmware comes and goes below 1 MiB, read-only pieces without a descriptor.
    for (int wave = 0; wave < 7; wave++) {
      assertDone(client.map(0xc0000, 0x20000, 0xc0000, wave % 2 == 0, ram.attachment()), 0);
      assertDone(client.map(0xe0000, 0x20000, 0, false), 0);
      assertDone(client.unmap(0xc0000, 0x20000), 24);
      assertDone(client.unmap(0xe0000, 0x20000), 24);
    }
    assertDone(client.map(LOW, 0x100000, 0, true, ram.attachment()), 0);
    // BAR sizing and programming, then memory decoding and bus mastering.
    assertDone(client.write(CONFIG, 0x10, (byte) -1, (byte) -1, (byte) -1, (byte) -1), 16);
    assertThat(client.read(CONFIG, 0x10, 4)).containsExactly(0, 0xf0, 0xff, 0xff);
    assertDone(client.write(CONFIG, 0x10, (byte) 0, (byte) 0xe0, (byte) 0xbf, (byte) 0xfe), 16);
    assertThat(client.read(CONFIG, 0x10, 4)).containsExactly(0, 0xe0, 0xbf, 0xfe);
    assertDone(client.write(CONFIG, 4, (byte) 6, (byte) 1), 16);

    // The driver: MSI-X without vectors, then all of them, eight events a message.
    assertDone(client.setIrqs(0x24, MSIX, 0, 1), 0);
    assertDone(client.setIrqs(0x21, MSIX, 0, 0), 0);
    List<ClientEvent> vectors = new ArrayList<>();
    for (int first = 0; first < RegisterFunction.VECTORS; first += 8) {
      int count = Math.min(8, RegisterFunction.VECTORS - first);
      for (int i = 0; i < count; i++) {
        vectors.add(event());
      }
      Attachment[] events =
          vectors.subList(first, first + count).stream()
              .map(ClientEvent::attachment)
              .toArray(Attachment[]::new);
      assertDone(client.setIrqs(0x24, MSIX, first, count, events), 0);
    }
    // Registers: posted writes, awaited reads. The device moves bytes and interrupts.
    client.postWrite(0, 0x14, (byte) 1, (byte) 0, (byte) 0, (byte) 0);
    assertThat(client.read(0, 0x14, 4)).containsExactly(1, 0, 0, 0);
    ram.bytes().set(JAVA_BYTE, 0x2000, (byte) 0x5a);
    var bytes = arena.allocate(16);
    assertThat(dma.read(LOW + 0x2000, bytes, 0, 16)).isNull();
    assertThat(bytes.get(JAVA_BYTE, 0)).isEqualTo((byte) 0x5a);
    server.interrupts().signal(RegisterFunction.VECTORS - 1);
    assertThat(vectors.getLast().take()).isEqualTo(1);
    assertThat(server.statistics().interrupts()).isEqualTo(1);
    assertDone(client.unmap(LOW, 0x100000), 24);
    assertThat(server.memory().statusAt(LOW, Access.READ)).isEqualTo(MemoryStatus.HOLE);
  }

  private static byte[] irqInfo(int index) {
    return new Payload().u32(16).u32(0).u32(index).u32(0).toBytes();
  }

  private static int capability(byte[] config, int id) {
    int at = config[0x34] & 0xff;
    while (config[at] != id) {
      at = config[at + 1] & 0xff;
    }
    return at;
  }
}
