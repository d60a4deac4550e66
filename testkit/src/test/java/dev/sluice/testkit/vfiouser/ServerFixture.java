package dev.sluice.testkit.vfiouser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.DmaContext;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Revocation;
import dev.sluice.pci.FunctionHost;
import dev.sluice.pci.Interrupts;
import dev.sluice.vfiouser.server.ServerOptions;
import dev.sluice.vfiouser.server.SessionListener;
import dev.sluice.vfiouser.server.VfioUserServer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;

/// A server with a [RegisterFunction] and a client that has agreed on the version; over a UNIX
/// socket, unless the class has the transport for its parameter ([ServerTest]).
abstract class ServerFixture implements SessionListener {
  static final int EPERM = 1;
  static final int ENOENT = 2;
  static final int EBUSY = 16;
  static final int EEXIST = 17;
  static final int ENODEV = 19;
  static final int EINVAL = 22;

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /// Set by JUnit before everything else.
  @Parameter Transport transport = Transport.UNIX;

  @TempDir Path directory;

  final Arena arena = Arena.ofShared();
  final RegisterFunction function = new RegisterFunction();
  final BlockingQueue<String> disconnections = new LinkedBlockingQueue<>();
  final BlockingQueue<Throwable> failures = new LinkedBlockingQueue<>();
  private final List<AutoCloseable> opened = new ArrayList<>();
  Transport.Connector connector;
  VfioUserServer server;
  VfioUserClient client;
  DmaContext dma;

  /// Limits that a test never waits for unless it says so.
  ServerOptions options() {
    return ServerOptions.DEFAULT
        .withReplyLimit(Duration.ofMinutes(1))
        .withMessageLimit(Duration.ofMinutes(1))
        .withListener(this);
  }

  @BeforeAll
  static void silenceTheServer() {
    ServerLog.silence();
  }

  @BeforeEach
  void startServer() throws Exception {
    Transport.Place place = transport.open(directory, function, options());
    server = place.server();
    connector = place.connector();
    dma = DmaContext.direct(server.memory(), new RequesterId(0x28));
    dma.revocation(Revocation.never());
    Interrupts interrupts = server.interrupts();
    function.connect(
        new FunctionHost() {
          @Override
          public DmaContext dma() {
            return dma;
          }

          @Override
          public Interrupts interrupts() {
            return interrupts;
          }
        });
    server.start();
    client = connector.connect();
    Message version = client.negotiate();
    assertThat(version.isError()).isFalse();
  }

  @AfterEach
  void stopServer() throws Exception {
    client.close();
    server.close();
    for (AutoCloseable each : opened) {
      each.close();
    }
    dma.close();
    arena.close();
  }

  @Override
  public void disconnected(String peer, String reason) {
    disconnections.add(reason);
  }

  @Override
  public void failed(Throwable failure) {
    failures.add(failure);
  }

  String awaitDisconnection() throws InterruptedException {
    String reason = disconnections.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    assertThat(reason).as("disconnected").isNotNull();
    return reason;
  }

  ClientMemory memory(long size) throws IOException {
    ClientMemory memory = transport.memory(size);
    opened.add(memory);
    return memory;
  }

  ClientEvent event() throws IOException {
    ClientEvent event = transport.event();
    opened.add(event);
    return event;
  }

  static void assertRefused(Message reply, int errno) {
    assertThat(reply.flags()).as("flags").isEqualTo(0x21);
    assertThat(reply.errno()).as("errno").isEqualTo(errno);
    assertThat(reply.length()).as("payload of an error").isZero();
  }

  static void assertDone(Message reply, int payload) {
    assertThat(reply.flags()).as("flags").isEqualTo(1);
    assertThat(reply.errno()).as("errno").isZero();
    assertThat(reply.length()).as("payload").isEqualTo(payload);
    assertThat(reply.attachments()).as("attachments").isEmpty();
  }

  /// Waits for what another thread is about to do.
  static void await(BooleanSupplier condition) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime() - end).as("nanoseconds over the patience").isNegative();
      Thread.onSpinWait();
    }
  }

  /// What a device's thread has come to.
  static <T> T result(Future<T> work) throws Exception {
    return work.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  /// Nothing comes from the server, also after it had the time.
  void assertSilent() throws IOException {
    assertThat(client.hasMessage(Duration.ofMillis(100))).as("something was sent").isFalse();
  }

  /// The session is in order: a command and its reply still go through.
  void assertAlive() throws IOException {
    assertDone(client.call(4, deviceInfo()), 16);
  }

  static byte[] deviceInfo() {
    return new Payload().u32(16).u32(0).u32(0).u32(0).toBytes();
  }
}
