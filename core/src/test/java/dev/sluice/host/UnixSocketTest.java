package dev.sluice.host;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class UnixSocketTest {
  private final Arena arena = Arena.ofShared();
  private final MemorySegment buffer = arena.allocate(1 << 20);
  private final List<Fd> fds = new ArrayList<>();
  private long before;
  private UnixSocket left;
  private UnixSocket right;

  @BeforeEach
  void open() throws Exception {
    before = OpenDescriptors.count();
    List<UnixSocket> pair = UnixSocket.pair();
    left = pair.get(0);
    right = pair.get(1);
  }

  @AfterEach
  void nothingStaysOpen() throws Exception {
    left.close();
    right.close();
    fds.forEach(Fd::close);
    assertThat(OpenDescriptors.count()).isEqualTo(before);
    arena.close();
  }

  private MemorySegment text(String text) {
    return arena.allocateFrom(text, StandardCharsets.US_ASCII).asSlice(0, text.length());
  }

  /// A thread that sends all of the buffer, more than the socket holds.
  private Thread sendingAll() {
    return Thread.ofPlatform()
        .start(() -> {
          try {
            left.send(buffer, 0, buffer.byteSize(), List.of());
          } catch (SystemCallException e) {
            throw new AssertionError(e);
          }
        });
  }

  private String received(long length) {
    return new String(buffer.asSlice(0, length).toArray(JAVA_BYTE), StandardCharsets.US_ASCII);
  }

  @Test
  void bytesArriveInOrder() throws Exception {
    left.send(text("hello"), 0, 5, List.of());
    left.send(text("there"), 0, 5, List.of());
    assertThat(right.receive(buffer, 0, 3, fds)).isEqualTo(3);
    assertThat(received(3)).isEqualTo("hel");
    assertThat(right.receive(buffer, 0, 7, fds)).isEqualTo(7);
    assertThat(received(7)).isEqualTo("lothere");
    assertThat(fds).isEmpty();
  }

  @Test
  void descriptorsTravelBothWaysAndReferToTheSameFile() throws Exception {
    try (Fd memory = Memfd.create("test", 8192);
        EventFd event = EventFd.create();
        Fd eventCopy = event.duplicate()) {
      left.send(text("two"), 0, 3, List.of(memory, eventCopy));
      assertThat(right.receive(buffer, 0, 3, fds)).isEqualTo(3);
      assertThat(fds).hasSize(2);

      MappedFile here = MappedFile.map(memory, 0, 4096, true);
      MappedFile there = MappedFile.map(fds.get(0), 0, 4096, true);
      there.segment().set(JAVA_BYTE, 17, (byte) 42);
      assertThat(here.segment().get(JAVA_BYTE, 17)).isEqualTo((byte) 42);
      here.close();
      there.close();

      EventFd received = EventFd.adopt(fds.get(1));
      received.signal();
      assertThat(event.take()).isEqualTo(1);

      right.send(text("back"), 0, 4, List.of(fds.get(0)));
      List<Fd> back = new ArrayList<>();
      assertThat(left.receive(buffer, 0, 100, back)).isEqualTo(4);
      assertThat(back).hasSize(1);
      back.forEach(Fd::close);
    }
  }

  @Test
  void asManyDescriptorsAsTheKernelPassesArriveTogether() throws Exception {
    try (EventFd event = EventFd.create();
        Fd copy = event.duplicate()) {
      left.send(text("x"), 0, 1, Collections.nCopies(253, copy));
      right.receive(buffer, 0, 1, fds);
      assertThat(fds).hasSize(253);
    }
  }

  @Test
  void descriptorsOfALaterMessageDoNotComeWithAnEarlierOne() throws Exception {
    try (EventFd event = EventFd.create();
        Fd copy = event.duplicate()) {
      left.send(text("first"), 0, 5, List.of());
      left.send(text("second"), 0, 6, List.of(copy));
      right.receive(buffer, 0, 5, fds);
      assertThat(fds).isEmpty();
      right.receive(buffer, 0, 6, fds);
      assertThat(fds).hasSize(1);
    }
  }

  @Test
  void whatHasArrivedIsTakenWithoutAWait() throws Exception {
    assertThat(right.receiveNow(buffer, 0, 10, fds)).isZero();
    left.send(buffer, 0, 3, List.of());
    assertThat(right.receiveNow(buffer, 0, 10, fds)).isEqualTo(3);
    assertThat(right.receiveNow(buffer, 0, 10, fds)).isZero();
    left.close();
    assertThat(right.receiveNow(buffer, 0, 10, fds)).isEqualTo(-1);
  }

  @Test
  void theEndOfThePeerIsTheEndOfTheStream() throws Exception {
    left.send(text("last"), 0, 4, List.of());
    left.close();
    assertThat(right.receive(buffer, 0, 100, fds)).isEqualTo(4);
    assertThat(right.receive(buffer, 0, 100, fds)).isEqualTo(-1);
    assertThatThrownBy(() -> right.send(text("x"), 0, 1, List.of()))
        .isInstanceOf(SystemCallException.class)
        .hasMessageContaining("sendmsg failed with EPIPE");
  }

  @Test
  void aPeerThatClosesWithBytesUnreadIsAnEndToo() throws Exception {
    right.send(text("unread"), 0, 6, List.of());
    left.close();
    assertThat(right.receive(buffer, 0, 100, fds)).isEqualTo(-1);
  }

  @Test
  void shutdownWakesAReceiverThatWaits() throws Exception {
    CompletableFuture<Long> result = new CompletableFuture<>();
    Thread receiver =
        Thread.ofPlatform()
            .start(() -> {
              try {
                result.complete(right.receive(buffer, 0, 1, fds));
              } catch (SystemCallException e) {
                result.completeExceptionally(e);
              }
            });
    right.shutdown();
    assertThat(result.get()).isEqualTo(-1);
    receiver.join();
  }

  @Test
  void aPeerThatTakesNothingEndsASendAfterItsTime() throws Exception {
    left.setSendTimeout(Duration.ofMillis(20));
    assertThatThrownBy(
            () -> {
              for (int i = 0; i < 1000; i++) {
                left.send(buffer, 0, buffer.byteSize(), List.of());
              }
            })
        .isInstanceOfSatisfying(
            SystemCallException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EAGAIN));
  }

  @Test
  void aShortMessageIsSentWholeAndAtOnceOrNotAtAll() throws Exception {
    long sent = 0;
    while (left.sendNow(buffer, 0, 100)) {
      sent += 100;
    }
    assertThat(sent).isPositive();
    for (long received = 0; received < sent; ) {
      received += right.receive(buffer, 0, sent - received, fds);
    }
    assertThat(right.receiveNow(buffer, 0, 1, fds)).isZero();
    assertThat(left.sendNow(buffer, 0, 100)).isTrue();
    right.close();
    assertThatThrownBy(() -> left.sendNow(buffer, 0, 100))
        .isInstanceOfSatisfying(
            SystemCallException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EPIPE));
  }

  @Test
  @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void aShortMessageDoesNotWaitBehindAnothersLongOne() throws Exception {
    Thread sender = sendingAll();
    while (left.isWritable()) {
      Thread.onSpinWait();
    }
    assertThat(left.sendNow(buffer, 0, 100)).isFalse();
    MemorySegment into = arena.allocate(buffer.byteSize());
    for (long received = 0; received < into.byteSize(); ) {
      received += right.receive(into, 0, into.byteSize() - received, fds);
    }
    sender.join();
    assertThat(left.sendNow(buffer, 0, 100)).isTrue();
  }

  @Test
  void aLongMessageArrivesWholeThroughASmallSocketBuffer() throws Exception {
    for (int i = 0; i < buffer.byteSize(); i++) {
      buffer.set(JAVA_BYTE, i, (byte) ((i * 31) >> 3));
    }
    MemorySegment copy = arena.allocate(buffer.byteSize());
    Thread sender = sendingAll();
    long done = 0;
    while (done < copy.byteSize()) {
      done += right.receive(copy, done, copy.byteSize() - done, fds);
    }
    sender.join();
    assertThat(copy.mismatch(buffer)).isEqualTo(-1);
  }

  @Test
  void thePeersProcessIsKnown() throws Exception {
    assertThat(right.peerProcess()).isEqualTo((int) ProcessHandle.current().pid());
  }

  @Test
  void heapMemoryIsRefused() {
    assertThatThrownBy(() -> left.send(MemorySegment.ofArray(new byte[4]), 0, 4, List.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aClosedSocketIsAnErrorOfTheCaller() {
    left.close();
    left.close();
    left.shutdown();
    assertThatThrownBy(() -> left.send(buffer, 0, 1, List.of()))
        .isInstanceOf(IllegalStateException.class);
  }
}
