package dev.sluice.testkit.vfiouser;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.memory.Access;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.testkit.vfiouser.PeerRam.Layout;
import dev.sluice.vfiouser.server.ServerOptions;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// DMA_READ and DMA_WRITE: the server's messages about memory that has no descriptor.
class DmaAccessTest {
  private static final int DMA_READ = 11;
  private static final int DMA_WRITE = 12;
  private static final long BASE = 0x40000000L;
  private static final int SIZE = 1 << 20;

  abstract static class AccessTest extends ServerTest {
    private final List<Thread> devices = new ArrayList<>();

    /// Runs `work` on a thread of a device.
    <T> FutureTask<T> device(Callable<T> work) {
      FutureTask<T> task = new FutureTask<>(work);
      devices.add(Thread.ofPlatform().name("device").start(task));
      return task;
    }

    void mapMessageOnly() throws IOException {
      assertDone(client.map(BASE, SIZE, 0, true), 0);
    }

    MemorySegment pattern(int size) {
      MemorySegment bytes = arena.allocate(size);
      for (int i = 0; i < size; i++) {
        bytes.set(JAVA_BYTE, i, (byte) (i * 7 + (i >> 8)));
      }
      return bytes;
    }

    /// Answers the server's requests until the device's work is done.
    <T> T serving(PeerRam ram, FutureTask<T> work) throws Exception {
      while (!work.isDone()) {
        if (client.hasMessage(Duration.ofMillis(1))) {
          client.answer(client.request(), ram);
        }
      }
      return work.get();
    }
  }

  @Nested
  class WithAClientThatAnswers extends AccessTest {
    @ParameterizedTest
    @EnumSource(Layout.class)
    void bytesArriveWhereTheyBelongInEitherLayout(Layout layout) throws Exception {
      PeerRam ram = new PeerRam(layout, BASE, SIZE);
      mapMessageOnly();
      MemorySegment bytes = pattern(1000);
      assertThat(serving(ram, device(() -> server.memory().write(BASE + 3, bytes, 0, 1000))))
          .isEqualTo(1000);
      assertThat(Arrays.copyOfRange(ram.bytes(), 3, 1003)).isEqualTo(bytes.toArray(JAVA_BYTE));
      assertThat(ram.bytes()[2]).isZero();
      assertThat(ram.bytes()[1003]).isZero();

      MemorySegment back = arena.allocate(1000);
      assertThat(serving(ram, device(() -> server.memory().read(BASE + 3, back, 0, 1000))))
          .isEqualTo(1000);
      assertThat(back.mismatch(bytes)).isEqualTo(-1);
    }

    @Test
    void theLayoutIsAskedForOnceByAWriteOfNothing() throws Exception {
      PeerRam ram = new PeerRam(Layout.SPECIFIED, BASE, SIZE);
      mapMessageOnly();
      MemorySegment bytes = pattern(8);
      for (int i = 0; i < 3; i++) {
        serving(ram, device(() -> server.memory().write(BASE, bytes, 0, 8)));
      }
      assertThat(ram.counts()).containsExactly(0, 8, 8, 8);
    }

    @Test
    void aClientThatCallsAWriteOfNothingInvalidHasTheSpecifiedLayout() throws Exception {
      mapMessageOnly();
      PeerRam ram = new PeerRam(Layout.SPECIFIED, BASE, SIZE);
      FutureTask<Long> write = device(() -> server.memory().write(BASE, pattern(16), 0, 16));
      client.refuse(client.request(), EINVAL);
      assertThat(serving(ram, write)).isEqualTo(16);
      assertThat(Arrays.copyOf(ram.bytes(), 16)).isEqualTo(pattern(16).toArray(JAVA_BYTE));
    }

    @Test
    void aClientThatLetsTheFunctionWriteNothingNowIsAskedAgain() throws Exception {
      mapMessageOnly();
      PeerRam ram = new PeerRam(Layout.OLD_QEMU, BASE, SIZE);
      FutureTask<Long> early = device(() -> server.memory().write(BASE, pattern(16), 0, 16));
      client.refuse(client.request(), ENODEV);
      assertThat(result(early)).isZero();
      assertThat(serving(ram, device(() -> server.memory().write(BASE, pattern(16), 0, 16))))
          .isEqualTo(16);
      assertThat(Arrays.copyOf(ram.bytes(), 16)).isEqualTo(pattern(16).toArray(JAVA_BYTE));
    }

    @Test
    void nothingIsSentToAClientWhoseMemoryIsNotUsed() throws Exception {
      mapMessageOnly();
      assertAlive();
      assertSilent();
    }

    @Test
    void aLongAccessIsCutIntoMessagesThatFitASocketsBuffer() throws Exception {
      PeerRam ram = new PeerRam(Layout.SPECIFIED, BASE, SIZE);
      mapMessageOnly();
      MemorySegment bytes = pattern(300_000);
      assertThat(serving(ram, device(() -> server.memory().write(BASE, bytes, 0, 300_000))))
          .isEqualTo(300_000);
      MemorySegment back = arena.allocate(300_000);
      assertThat(serving(ram, device(() -> server.memory().read(BASE, back, 0, 300_000))))
          .isEqualTo(300_000);
      assertThat(back.mismatch(bytes)).isEqualTo(-1);
      assertThat(ram.counts()).allMatch(count -> count <= 65536);
    }

    @Test
    void severalDevicesWaitAtATime() throws Exception {
      PeerRam ram = new PeerRam(Layout.SPECIFIED, BASE, SIZE);
      mapMessageOnly();
      List<FutureTask<Long>> work = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        long at = BASE + i * 4096L;
        work.add(device(() -> server.memory().fill(at, 4096, (byte) (at >> 12))));
      }
      for (FutureTask<Long> each : work) {
        assertThat(serving(ram, each)).isEqualTo(4096);
      }
      for (int i = 0; i < 8; i++) {
        assertThat(ram.bytes()[i * 4096 + 4095]).isEqualTo((byte) ((BASE >> 12) + i));
      }
    }

    @Test
    void aRefusalIsAFailedAccess() throws Exception {
      PeerRam ram = new PeerRam(Layout.SPECIFIED, BASE, 4096);
      mapMessageOnly();
      MemorySegment bytes = arena.allocate(16);
      assertThat(serving(ram, device(() -> server.memory().read(BASE + 8192, bytes, 0, 16))))
          .isZero();
      assertThat(serving(ram, device(() -> server.memory().read(BASE, bytes, 0, 16))))
          .isEqualTo(16);
    }

    @Test
    void aReplyWithLessThanWasAskedForIsAFailedAccess() throws Exception {
      mapMessageOnly();
      FutureTask<Long> read = device(() -> server.memory().read(BASE, arena.allocate(16), 0, 16));
      client.answer(client.request(), new PeerRam(Layout.SPECIFIED, BASE, 16));
      Message request = client.request();
      client.sendRaw(reply(request, new Payload().u64(BASE).u64(16).u64(0).toBytes()));
      assertThat(result(read)).isZero();
      assertAlive();
    }

    @Test
    void repliesThatNobodyWaitsForDisturbNothing() throws Exception {
      mapMessageOnly();
      FutureTask<Long> write = device(() -> server.memory().write(BASE, pattern(16), 0, 16));
      PeerRam ram = new PeerRam(Layout.SPECIFIED, BASE, SIZE);
      client.answer(client.request(), ram);
      Message request = client.request();
      client.sendRaw(
          new Payload().u16(request.id() ^ 1).u16(DMA_WRITE).u32(16).u32(1).u32(0).toBytes());
      client.sendRaw(new Payload().u16(request.id()).u16(DMA_READ).u32(16).u32(1).u32(0).toBytes());
      client.answer(request, ram);
      client.sendRaw(
          new Payload().u16(request.id()).u16(DMA_WRITE).u32(16).u32(1).u32(0).toBytes());
      assertThat(result(write)).isEqualTo(16);
      assertAlive();
    }

    private byte[] reply(Message request, byte[] payload) {
      return new Payload()
          .u16(request.id())
          .u16(request.command())
          .u32(16L + payload.length)
          .u32(1)
          .u32(0)
          .bytes(payload)
          .toBytes();
    }

    @Test
    void theThreadThatServesTheClientIsNotMadeToWait() throws Exception {
      mapMessageOnly();
      CompletableFuture<Long> moved = new CompletableFuture<>();
      CompletableFuture<MemoryStatus> why = new CompletableFuture<>();
      MemorySegment into = arena.allocate(4);
      function.onRead =
          () -> {
            moved.complete(server.memory().read(BASE, into, 0, 4));
            why.complete(server.memory().statusAt(BASE, Access.READ));
          };
      client.read(0, 0, 4);
      assertThat(result(moved)).isZero();
      assertThat(result(why)).isEqualTo(MemoryStatus.WOULD_BLOCK);
      assertSilent();
    }

    @Test
    void noOtherServersThreadIsMadeToWaitEither() throws Exception {
      mapMessageOnly();
      CompletableFuture<Long> moved = new CompletableFuture<>();
      MemorySegment into = arena.allocate(4);
      RegisterFunction neighbour = new RegisterFunction();
      neighbour.onRead = () -> moved.complete(server.memory().read(BASE, into, 0, 4));
      Transport.Place place =
          transport.open(directory.resolve(".."), neighbour, ServerOptions.DEFAULT);
      try (var otherServer = place.server()) {
        otherServer.start();
        try (VfioUserClient other = place.connector().connect()) {
          other.negotiate();
          other.read(0, 0, 4);
        }
      }
      assertThat(result(moved)).isZero();
    }

    @Test
    void aMessageInterruptIsPostedFromWithinAHandlerInEitherLayout() throws Exception {
      for (Layout layout : Layout.values()) {
        PeerRam apic = new PeerRam(layout, 0xfee00000L, 4096);
        client.serve(apic);
        function.onRead = () -> assertThat(server.postMessageWrite(0xfee00010L, 0x4041)).isTrue();
        client.read(0, 0, 4);
        function.onRead = () -> {};
        // The probe's reply lets the message out; it comes before the reply to this.
        while (apic.counts().size() < 2) {
          client.read(0, 0, 4);
        }
        assertThat(Arrays.copyOfRange(apic.bytes(), 16, 22))
            .containsExactly(0x41, 0x40, 0, 0, 0, 0);
        client.close();
        awaitDisconnection();
        client = connector.connect();
        client.negotiate();
      }
    }

    @Test
    void postedMessagesKeepTheirOrderAndEqualOnesThatWaitBecomeOne() throws Exception {
      PeerRam apic = new PeerRam(Layout.SPECIFIED, 0xfee00000L, 4096);
      server.postMessageWrite(0xfee00000L, 1);
      server.postMessageWrite(0xfee00000L, 2);
      server.postMessageWrite(0xfee00000L, 1);
      client.answer(client.request(), apic);
      assertThat(client.request().u32(16)).isEqualTo(1);
      assertThat(client.request().u32(16)).isEqualTo(2);
      assertAlive();
      assertSilent();
    }

    @Test
    void aClientThatTakesNoneOfVeryManyPostedMessagesLosesSome() throws Exception {
      int sent = 0;
      while (server.postMessageWrite(0xfee00000L, sent)) {
        sent++;
      }
      assertThat(sent).isEqualTo(256);
      PeerRam apic = new PeerRam(Layout.SPECIFIED, 0xfee00000L, 4096);
      client.answer(client.request(), apic);
      for (int i = 0; i < sent; i++) {
        Message post = client.request();
        assertThat(post.u32(16)).isEqualTo(i);
        client.answer(post, apic);
      }
      assertAlive();
    }

    @Test
    void withoutAClientNothingIsPosted() throws Exception {
      client.close();
      awaitDisconnection();
      await(() -> !server.postMessageWrite(0xfee00000L, 1));
    }

    @Test
    void memoryThatIsTakenBackEndsTheAccessAtOnce() throws Exception {
      mapMessageOnly();
      FutureTask<Long> read =
          device(() -> server.memory().read(BASE, arena.allocate(200_000), 0, 200_000));
      client.answer(client.request(), new PeerRam(Layout.SPECIFIED, BASE, SIZE));
      Message waiting = client.request();
      assertThat(waiting.command()).isEqualTo(DMA_READ);
      assertDone(client.unmap(BASE, SIZE), 24);
      assertThat(result(read)).isZero();
      // Its late reply is nobody's.
      client.answer(waiting, new PeerRam(Layout.SPECIFIED, BASE, SIZE));
      assertAlive();
      assertSilent();
    }

    @Test
    void anAccessGoesOnWhileAnUnmapOfOtherMemoryWaits() throws Exception {
      mapMessageOnly();
      ClientMemory shared = memory(4096);
      assertDone(client.map(0, 4096, 0, true, shared.attachment()), 0);
      PeerRam ram = new PeerRam(Layout.SPECIFIED, BASE, SIZE);
      ram.bytes()[0] = 5;
      MemorySegment into = arena.allocate(4);
      var hold = server.memory().hold(0, 4096, Access.READ);
      assertThat(hold).isNotNull();
      // A device that holds one memory while it reads another by messages.
      FutureTask<Long> device =
          device(() -> {
            try (hold) {
              return server.memory().read(BASE, into, 0, 4);
            }
          });
      Message probe = client.request();
      int unmap = client.send(3, VfioUserClient.unmapping(0, 4096, 0));
      await(() -> server.memory().statusAt(0, Access.READ) == MemoryStatus.HOLE);
      client.answer(probe, ram);
      client.answer(client.request(), ram);
      assertDone(client.reply(unmap), 24);
      assertThat(result(device)).isEqualTo(4);
      assertThat(into.get(JAVA_BYTE, 0)).isEqualTo((byte) 5);
    }

    @Test
    void aClientThatLeavesEndsTheAccess() throws Exception {
      mapMessageOnly();
      FutureTask<Long> read = device(() -> server.memory().read(BASE, arena.allocate(16), 0, 16));
      client.answer(client.request(), new PeerRam(Layout.SPECIFIED, BASE, SIZE));
      client.request();
      client.close();
      assertThat(result(read)).isZero();
    }

    @Test
    void aClientsLowerLimitIsKept() throws Exception {
      client.close();
      client = connector.connect();
      client.call(
          1,
          new Payload()
              .u16(0)
              .u16(0)
              .text("{\"capabilities\":{\"max_data_xfer_size\":100}}")
              .toBytes());
      mapMessageOnly();
      PeerRam ram = new PeerRam(Layout.SPECIFIED, BASE, SIZE);
      MemorySegment bytes = pattern(250);
      assertThat(serving(ram, device(() -> server.memory().write(BASE, bytes, 0, 250))))
          .isEqualTo(250);
      assertThat(ram.counts()).containsExactly(0, 100, 100, 50);
    }
  }

  @Nested
  class WithAClientThatDoesNotAnswer extends AccessTest {
    @Override
    ServerOptions options() {
      return super.options().withMessageLimit(Duration.ofMillis(500));
    }

    @Test
    void theAccessFailsInTimeAndALateReplyWritesNowhere() throws Exception {
      mapMessageOnly();
      PeerRam ram = new PeerRam(Layout.SPECIFIED, BASE, SIZE);
      Arrays.fill(ram.bytes(), (byte) 9);
      MemorySegment into = arena.allocate(16);
      // The first gets no further than the question for the layout.
      assertThat(device(() -> server.memory().read(BASE, into, 0, 16)).get()).isZero();
      client.answer(client.request(), ram);
      assertAlive();

      FutureTask<Long> read = device(() -> server.memory().read(BASE, into, 0, 16));
      Message request = client.request();
      assertThat(result(read)).isZero();
      client.answer(request, ram);
      assertAlive();
      assertThat(into.toArray(JAVA_BYTE)).containsOnly(0);
    }

    @Test
    void aLateReplyIsNotTakenForTheNextAccess() throws Exception {
      mapMessageOnly();
      PeerRam ram = new PeerRam(Layout.SPECIFIED, BASE, SIZE);
      assertThat(result(device(() -> server.memory().read(BASE, arena.allocate(16), 0, 16))))
          .isZero();
      client.answer(client.request(), ram);
      FutureTask<Long> first = device(() -> server.memory().read(BASE, arena.allocate(16), 0, 16));
      Message late = client.request();
      assertThat(result(first)).isZero();

      MemorySegment into = arena.allocate(16);
      FutureTask<Long> second = device(() -> server.memory().read(BASE, into, 0, 16));
      Message next = client.request();
      Arrays.fill(ram.bytes(), (byte) 1);
      client.answer(late, ram);
      Arrays.fill(ram.bytes(), (byte) 2);
      client.answer(next, ram);
      // However slow all this was, and whether or not the second was still waiting.
      assertThat(result(second)).isIn(0L, 16L);
      assertThat(into.toArray(JAVA_BYTE)).doesNotContain(1);
    }

    @Test
    void moreAccessesThanMayWaitFailInTimeToo() throws Exception {
      mapMessageOnly();
      AtomicLong moved = new AtomicLong();
      List<FutureTask<Long>> work = new ArrayList<>();
      for (int i = 0; i < 70; i++) {
        MemorySegment into = arena.allocate(4);
        work.add(device(() -> moved.addAndGet(server.memory().read(BASE, into, 0, 4))));
      }
      client.answer(client.request(), new PeerRam(Layout.SPECIFIED, BASE, SIZE));
      for (FutureTask<Long> each : work) {
        result(each);
      }
      assertThat(moved.get()).isZero();
      assertAlive();
    }
  }
}
