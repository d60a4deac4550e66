package dev.sluice.testkit.vfiouser;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.memory.Access;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.Word;
import dev.sluice.vfiouser.transport.Attachment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Collections;
import org.junit.jupiter.api.Test;

/// A session as a whole: what belongs to no single message, and clients that do not keep to the
/// protocol.
class SessionTest extends ServerTest {
  private static byte[] header(int id, int command, int size, int flags) {
    return ByteBuffer.allocate(16)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putShort((short) id)
        .putShort((short) command)
        .putInt(size)
        .putInt(flags)
        .array();
  }

  private void reconnect() throws Exception {
    client.close();
    client = connector.connect();
    assertThat(client.negotiate().isError()).isFalse();
  }

  /// The client is told, the connection ends, and the next client is served.
  private void assertEndsTheConnection(byte[] message, String reason) throws Exception {
    client.sendRaw(message);
    Message reply = client.receive();
    if (reply != null) {
      assertRefused(reply, EINVAL);
      assertThat(client.receive()).isNull();
    }
    assertThat(awaitDisconnection()).contains(reason);
    reconnect();
    assertAlive();
  }

  @Test
  void aMessageSmallerThanItsHeaderEndsTheConnection() throws Exception {
    assertEndsTheConnection(header(1, 4, 15, 0), "a size of 15 bytes");
    assertEndsTheConnection(header(1, 4, 0, 0), "a size of 0 bytes");
  }

  @Test
  void aMessageOfAbsurdSizeEndsTheConnection() throws Exception {
    assertEndsTheConnection(header(1, 10, 1 << 30, 0), "a size of 1073741824 bytes");
    assertEndsTheConnection(header(1, 10, -1, 0), "a size of 4294967295 bytes");
    assertEndsTheConnection(header(1, 10, (1 << 20) + 64, 0), "a size of 1048640 bytes");
  }

  @Test
  void aMessageThatIsNeitherCommandNorReplyEndsTheConnection() throws Exception {
    assertEndsTheConnection(header(1, 4, 16, 2), "neither command nor reply");
    assertEndsTheConnection(header(1, 4, 16, 0xf), "neither command nor reply");
  }

  @Test
  void theLargestMessageThatMayBeIsServed() throws Exception {
    byte[] data = new byte[1 << 20];
    assertRefused(client.call(10, VfioUserClient.access(0, 0, data.length, data)), EINVAL);
    assertAlive();
  }

  @Test
  void aMessageMayArriveByteAfterByte() throws Exception {
    byte[] whole = new byte[32];
    System.arraycopy(header(77, 4, 32, 0), 0, whole, 0, 16);
    whole[16] = 16;
    for (byte each : whole) {
      client.sendRaw(new byte[] {each});
    }
    assertDone(client.reply(77), 16);
  }

  @Test
  void severalMessagesMayArriveAtOnce() throws Exception {
    byte[] two = new byte[64];
    for (int i = 0; i < 2; i++) {
      System.arraycopy(header(100 + i, 4, 32, 0), 0, two, 32 * i, 16);
      two[32 * i + 16] = 16;
    }
    client.sendRaw(two);
    assertDone(client.reply(100), 16);
    assertDone(client.reply(101), 16);
  }

  @Test
  void descriptorsBelongToTheMessageTheyCameWithHoweverManyArriveAtOnce() throws Exception {
    int maps = 16;
    ClientMemory[] memories = new ClientMemory[maps];
    for (int i = 0; i < maps; i++) {
      memories[i] = memory(4096);
      memories[i].bytes().set(JAVA_BYTE, 0, (byte) (i + 1));
    }
    for (int round = 0; round < 50; round++) {
      int[] ids = new int[maps];
      for (int i = 0; i < maps; i++) {
        client.postWrite(0, 8, (byte) i);
        byte[] mapping = VfioUserClient.mapping(4096L * i, 4096, 0, 3);
        ids[i] =
            i % 3 == 2
                ? client.send(2, mapping)
                : client.send(2, mapping, memories[i].attachment());
        client.postWrite(0, 12, (byte) i);
      }
      for (int i = 0; i < maps; i++) {
        assertDone(client.reply(ids[i]), 0);
      }
      Word word = new Word();
      for (int i = 0; i < maps; i++) {
        MemoryStatus status = server.memory().holdStatusAt(4096L * i, Access.READ);
        assertThat(status)
            .as("mapping %d of round %d", i, round)
            .isEqualTo(i % 3 == 2 ? MemoryStatus.WOULD_BLOCK : MemoryStatus.OK);
        if (status == MemoryStatus.OK) {
          server.memory().load(4096L * i, 1, ByteOrder.LITTLE_ENDIAN, word);
          assertThat(word.asInt()).isEqualTo(i + 1);
        }
      }
      assertDone(client.unmap(0, 4096L * maps), 24);
    }
  }

  @Test
  void manyPostedWritesAndALongOneKeepTheirOrder() throws Exception {
    byte[] last = new byte[4];
    for (int round = 0; round < 20; round++) {
      for (int i = 0; i < 500; i++) {
        last = new byte[] {(byte) i, (byte) round, 1, 2};
        client.postWrite(0, 0, last);
      }
      byte[] large = new byte[1 << 20];
      int refused = client.send(10, VfioUserClient.access(0, 0, large.length, large));
      client.postWrite(0, 4, last);
      assertRefused(client.reply(refused), EINVAL);
      assertThat(client.read(0, 0, 4)).isEqualTo(last);
      assertThat(client.read(0, 4, 4)).isEqualTo(last);
    }
  }

  @Test
  void idsMayRepeat() throws Exception {
    for (int i = 0; i < 3; i++) {
      byte[] whole = new byte[32];
      System.arraycopy(header(0, 4, 32, 0), 0, whole, 0, 16);
      whole[16] = 16;
      client.sendRaw(whole);
      assertDone(client.reply(0), 16);
    }
  }

  @Test
  void aClientThatEndsInTheMiddleOfAMessageIsForgotten() throws Exception {
    client.sendRaw(new byte[] {1, 2, 3});
    client.close();
    assertThat(awaitDisconnection())
        .isEqualTo("it closed the connection in the middle of a message");
    client = connector.connect();
    client.negotiate();
    client.sendRaw(header(1, 10, 100, 0));
    client.close();
    assertThat(awaitDisconnection())
        .isEqualTo("it closed the connection in the middle of a message");
    client = connector.connect();
    client.negotiate();
    assertAlive();
  }

  @Test
  void aClientThatSaysNothingIsForgotten() throws Exception {
    client.close();
    assertThat(awaitDisconnection()).isEqualTo("it closed the connection");
    client = connector.connect();
    client.close();
    assertThat(awaitDisconnection()).isEqualTo("it closed the connection");
    client = connector.connect();
    assertThat(client.negotiate().isError()).isFalse();
  }

  @Test
  void moreDescriptorsThanAMessageMayHaveEndTheConnection() throws Exception {
    Attachment event = event().attachment();
    Attachment[] many = Collections.nCopies(17, event).toArray(Attachment[]::new);
    client.send(4, deviceInfo(), many);
    while (client.receive() != null) {
      // The server may tell, or not, before it ends the connection.
    }
    assertThat(awaitDisconnection()).contains("more than 16 descriptors");
    reconnect();
    assertAlive();
  }

  @Test
  void descriptorsThatNobodyAskedForAreGivenBack() throws Exception {
    Attachment event = event().attachment();
    assertDone(client.call(4, deviceInfo(), event, event), 16);
    assertDone(client.call(9, VfioUserClient.access(0, 0, 4), event), 20);
    assertAlive();
  }

  @Test
  void memoryAndInterruptsGoWithTheClientAndTheDeviceStays() throws Exception {
    ClientMemory shared = memory(4096);
    ClientEvent event = event();
    assertDone(client.map(0, 4096, 0, true, shared.attachment()), 0);
    assertDone(client.map(0x10000, 4096, 0, true), 0);
    assertDone(client.setIrqs(0x24, 2, 0, 1, event.attachment()), 0);
    assertDone(client.setIrqs(0x14, 0, 0, 1, event().attachment()), 0);
    client.write(0, 0, (byte) 42);
    client.close();
    awaitDisconnection();
    client = connector.connect();
    client.negotiate();
    assertThat(server.memory().statusAt(0, Access.READ)).isEqualTo(MemoryStatus.HOLE);
    assertThat(server.memory().statusAt(0x10000, Access.READ)).isEqualTo(MemoryStatus.HOLE);
    server.interrupts().signal(0);
    assertThat(event.take()).isZero();
    assertThat(client.read(0, 0, 1)).containsExactly(42);
    assertThat(function.resets).isZero();
  }

  @Test
  void theServerEndsInTheMiddleOfAMessage() throws Exception {
    client.sendRaw(header(1, 10, 100, 0));
    server.close();
    assertThat(client.receive()).isNull();
  }

  @Test
  void theServerEndsWhileAReplyWaitsForTheDevice() throws Exception {
    function.holdResets = true;
    client.send(13, new byte[0]);
    await(() -> !function.heldResets.isEmpty());
    server.close();
    assertThat(client.receive()).isNull();
    function.heldResets.getFirst().run();
  }

  @Test
  void theServerEndsUnderAClientThatReadsNothing() throws Exception {
    Thread flood =
        Thread.ofPlatform()
            .start(() -> {
              try {
                while (true) {
                  client.send(9, VfioUserClient.access(7, 0, 4096));
                }
              } catch (Exception e) {
                // The connection has ended, as it should.
              }
            });
    assertThat(client.hasMessage(Duration.ofSeconds(30))).isTrue();
    server.close();
    flood.join();
  }
}
