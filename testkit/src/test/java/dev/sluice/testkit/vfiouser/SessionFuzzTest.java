package dev.sluice.testkit.vfiouser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.memory.Access;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.vfiouser.server.ServerOptions;
import dev.sluice.vfiouser.server.SessionListener;
import dev.sluice.vfiouser.server.VfioUserServer;
import dev.sluice.vfiouser.transport.Attachment;
import dev.sluice.vfiouser.transport.Channel;
import dev.sluice.vfiouser.transport.InMemoryTransport;
import dev.sluice.vfiouser.transport.LocalEvent;
import dev.sluice.vfiouser.transport.LocalMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Clients made of chance, in the process's own transport. Whatever they send, nothing of the
/// server fails, every connection ends, its memory is given back and the next client is served.
class SessionFuzzTest {
  private static final int[] SIZES = {0, 1, 15, 16, 20, 23, 24, 32, 40, 100, 4096, 5000};
  private static final long[] ODD = {
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    15,
    16,
    24,
    32,
    0x24,
    0x1000,
    0x2000,
    0x7fffffffL,
    0x80000000L,
    0xffffffffL,
    0x100000,
    0xfee00000L,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    -0x1000,
    -1
  };

  /// What the server tells.
  private static final class Watch implements SessionListener {
    private final BlockingQueue<String> ends = new LinkedBlockingQueue<>();
    private final List<Throwable> failures = new ArrayList<>();

    @Override
    public void disconnected(String peer, String reason) {
      ends.add(reason);
    }

    @Override
    public synchronized void failed(Throwable failure) {
      failures.add(failure);
    }

    synchronized List<Throwable> failures() {
      return List.copyOf(failures);
    }
  }

  @BeforeAll
  static void silenceTheServer() {
    ServerLog.silence();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void aClientOfChanceHarmsNobody(long seed) throws Exception {
    run(new SplittableRandom(seed), 40);
  }

  @Test
  @Tag("long")
  void manyClientsOfChanceHarmNobody() throws Exception {
    run(new SplittableRandom(), 20_000);
  }

  private void run(SplittableRandom random, int clients) throws Exception {
    InMemoryTransport transport = new InMemoryTransport();
    RegisterFunction function = new RegisterFunction();
    Watch watch = new Watch();
    try (Arena arena = Arena.ofShared();
        VfioUserServer server =
            VfioUserServer.on(
                transport,
                function,
                ServerOptions.DEFAULT.withMessageLimit(Duration.ofMillis(2)).withListener(watch))) {
      MemorySegment shared = arena.allocate(1 << 16);
      function.onRead = () -> server.postMessageWrite(0xfee00000L, 1);
      server.start();
      AtomicBoolean ending = new AtomicBoolean();
      Thread device = device(server, random.split(), ending);
      for (int i = 0; i < clients; i++) {
        try (Channel channel = transport.connect()) {
          Thread drain = drain(channel);
          if (random.nextInt(8) > 0) {
            send(channel, (short) 0, 1, 0, 20, new Payload().u32(0).toBytes(), List.of());
          }
          chat(random, channel, shared);
          channel.shutdown();
          drain.join();
        }
        assertThat(watch.ends.take()).isNotEmpty();
        assertThat(server.memory().statusAt(0, Access.READ)).isEqualTo(MemoryStatus.HOLE);
      }
      ending.set(true);
      device.join();
      try (VfioUserClient sane = new VfioUserClient(transport.connect())) {
        assertThat(sane.negotiate().isError()).isFalse();
      }
    }
    assertThat(watch.failures()).isEmpty();
  }

  /// A device that uses the client's memory and interrupts whatever the client does.
  private static Thread device(
      VfioUserServer server, SplittableRandom random, AtomicBoolean ending) {
    return Thread.ofPlatform()
        .start(() -> {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(4096);
            while (!ending.get()) {
              long at = odd(random);
              server.memory().read(at, bytes, 0, random.nextInt(4096));
              server.memory().write(at, bytes, 0, random.nextInt(4096));
              server.interrupts().signal(random.nextInt(RegisterFunction.VECTORS));
              server.interrupts().pin(random.nextBoolean());
            }
          }
        });
  }

  /// Takes whatever the server says, so that it never has to wait.
  private static Thread drain(Channel channel) {
    return Thread.ofPlatform()
        .start(() -> {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment into = arena.allocate(1 << 16);
            while (channel.receive(into, 0, into.byteSize(), new ArrayList<>()) > 0) {
              // on
            }
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
  }

  private static void chat(SplittableRandom random, Channel channel, MemorySegment shared) {
    int messages = random.nextInt(1, 40);
    try {
      for (int i = 0; i < messages; i++) {
        byte[] payload = payload(random);
        List<Attachment> attachments = new ArrayList<>();
        for (int n = random.nextInt(12) < 9 ? random.nextInt(3) : random.nextInt(20); n > 0; n--) {
          attachments.add(random.nextBoolean() ? new LocalMemory(shared) : new LocalEvent());
        }
        int size = 16 + payload.length;
        if (random.nextInt(40) == 0) {
          size = (int) odd(random);
        }
        send(
            channel,
            (short) random.nextInt(256),
            random.nextInt(20),
            flags(random),
            size,
            payload,
            attachments);
      }
    } catch (IOException e) {
      // The server has had enough of this client.
    }
  }

  /// Commands, with and without a reply; replies, errors among them; and what cannot be.
  private static int flags(SplittableRandom random) {
    return switch (random.nextInt(12)) {
      case 0, 1 -> 0x10;
      case 2 -> 0x01;
      case 3 -> 0x21;
      case 4 -> random.nextInt(4) == 0 ? random.nextInt() : 0;
      default -> 0;
    };
  }

  private static long odd(SplittableRandom random) {
    return random.nextInt(10) == 0 ? random.nextLong() : ODD[random.nextInt(ODD.length)];
  }

  /// Fields of 4 and 8 bytes that often mean something, cut to a size that often fits.
  private static byte[] payload(SplittableRandom random) {
    Payload fields = new Payload();
    int size = SIZES[random.nextInt(SIZES.length)];
    for (int length = 0; length < size; ) {
      boolean wide = random.nextInt(3) == 0;
      if (wide) {
        fields.u64(odd(random));
      } else {
        fields.u32(odd(random));
      }
      length += wide ? 8 : 4;
    }
    byte[] whole = fields.toBytes();
    return Arrays.copyOf(whole, size);
  }

  private static void send(
      Channel channel,
      short id,
      int command,
      int flags,
      int size,
      byte[] payload,
      List<Attachment> attachments)
      throws IOException {
    byte[] message =
        ByteBuffer.allocate(16 + payload.length)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putShort(id)
            .putShort((short) command)
            .putInt(size)
            .putInt(flags)
            .putInt(0)
            .put(payload)
            .array();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(message.length);
      bytes.copyFrom(MemorySegment.ofArray(message));
      channel.send(bytes, 0, message.length, attachments);
    }
  }
}
