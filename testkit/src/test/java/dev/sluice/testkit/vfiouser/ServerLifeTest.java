package dev.sluice.testkit.vfiouser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.vfiouser.server.ServerOptions;
import dev.sluice.vfiouser.server.SessionListener;
import dev.sluice.vfiouser.server.VfioUserServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A server's beginning and end on a UNIX socket, and that nothing of it stays behind.
class ServerLifeTest {
  @TempDir Path directory;

  @BeforeAll
  static void silenceTheServer() {
    ServerLog.silence();
  }

  private VfioUserServer listen(Path path) throws IOException {
    return VfioUserServer.listen(path, new RegisterFunction(), ServerOptions.DEFAULT);
  }

  @Test
  void theSocketIsTheOwnersAloneAndGoesWithTheServer() throws Exception {
    Path path = directory.resolve("s");
    try (VfioUserServer server = listen(path)) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
          .isEqualTo("rw-------");
      server.start();
    }
    assertThat(path).doesNotExist();
  }

  @Test
  void aClientMayConnectBeforeTheServerStarts() throws Exception {
    Path path = directory.resolve("s");
    try (VfioUserServer server = listen(path);
        VfioUserClient client = VfioUserClient.connect(path)) {
      server.start();
      assertThat(client.negotiate().isError()).isFalse();
    }
  }

  @Test
  void aSecondClientWaitsForTheFirstToGo() throws Exception {
    Path path = directory.resolve("s");
    try (VfioUserServer server = listen(path)) {
      server.start();
      try (VfioUserClient second = connectAfter(path)) {
        assertThat(second.negotiate().isError()).isFalse();
      }
    }
  }

  private static VfioUserClient connectAfter(Path path) throws IOException {
    try (VfioUserClient first = VfioUserClient.connect(path)) {
      first.negotiate();
      VfioUserClient second = VfioUserClient.connect(path);
      first.read(7, 0, 4);
      return second;
    }
  }

  @Test
  void aPathThatIsTakenIsLeftToItsServer() throws Exception {
    Path path = directory.resolve("s");
    try (VfioUserServer server = listen(path)) {
      server.start();
      assertThatThrownBy(() -> listen(path))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("another server is answering on it");
      try (VfioUserClient client = VfioUserClient.connect(path)) {
        assertThat(client.negotiate().isError()).isFalse();
      }
    }
  }

  @Test
  void aServerThatIsNotStartedCanBeClosedAndNotStartedAfterwards() throws Exception {
    VfioUserServer server = listen(directory.resolve("s"));
    server.close();
    server.close();
    assertThatThrownBy(server::start).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void itStartsOnce() throws Exception {
    try (VfioUserServer server = listen(directory.resolve("s"))) {
      server.start();
      assertThatThrownBy(server::start).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void itIsNotClosedByWhatItCalls() throws Exception {
    Path path = directory.resolve("s");
    CompletableFuture<VfioUserServer> made = new CompletableFuture<>();
    CompletableFuture<Throwable> thrown = new CompletableFuture<>();
    SessionListener closing =
        new SessionListener() {
          @Override
          public void connected(String peer) {
            try {
              made.join().close();
            } catch (Exception e) {
              thrown.complete(e);
            }
          }
        };
    try (VfioUserServer server =
            VfioUserServer.listen(
                path, new RegisterFunction(), ServerOptions.DEFAULT.withListener(closing));
        VfioUserClient client = VfioUserClient.connect(path)) {
      made.complete(server);
      server.start();
      assertThat(client.negotiate().isError()).isFalse();
      assertThat(thrown.get()).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void aSessionThatAnErrorEndsIsReportedAsGoneToo() throws Exception {
    Path path = directory.resolve("s");
    CompletableFuture<String> gone = new CompletableFuture<>();
    SessionListener listener =
        new SessionListener() {
          @Override
          public void disconnected(String peer, String reason) {
            gone.complete(reason);
          }
        };
    RegisterFunction function = new RegisterFunction();
    function.onRead =
        () -> {
          throw new AssertionError("a device's own defect");
        };
    try (VfioUserServer server =
            VfioUserServer.listen(path, function, ServerOptions.DEFAULT.withListener(listener));
        VfioUserClient client = VfioUserClient.connect(path)) {
      server.start();
      client.negotiate();
      client.send(9, VfioUserClient.access(0, 0, 4));
      assertThat(gone.get(30, TimeUnit.SECONDS)).isEqualTo("its session failed");
    }
  }

  @Test
  void limitsThatLeaveNoTimeAreRefused() {
    assertThatThrownBy(() -> ServerOptions.DEFAULT.withReplyLimit(Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void nothingOfASessionStaysOpenHoweverItEnds() throws Exception {
    session(0); // Whatever is opened once for all is open now.
    List<String> before = openFiles();
    for (int end = 0; end < 6; end++) {
      session(end);
    }
    assertThat(openFiles()).isEqualTo(before);
    assertThat(Thread.getAllStackTraces().keySet())
        .extracting(Thread::getName)
        .noneMatch(name -> name.startsWith("vfio-user"));
  }

  /// A session with maps, interrupts and mistakes, that ends in one of several ways.
  private void session(int end) throws Exception {
    Path path = directory.resolve("s");
    try (ClientMemory memory = ClientMemory.file(8192);
        ClientEvent event = ClientEvent.eventFd();
        VfioUserServer server = listen(path)) {
      server.start();
      try (VfioUserClient client = VfioUserClient.connect(path)) {
        client.negotiate();
        client.map(0, 4096, 0, true, memory.attachment());
        client.map(0, 4096, 0, true, memory.attachment());
        client.map(4096, 4096, 4096, true, memory.attachment(), event.attachment());
        client.map(8192, 4096, 0, true, event.attachment());
        client.map(8192, 1 << 20, 0, true, memory.attachment());
        client.setIrqs(0x24, 2, 0, 2, event.attachment(), event.attachment());
        client.setIrqs(0x24, 2, 0, 2, event.attachment(), memory.attachment());
        client.setIrqs(0x24, 2, 0, 3, event.attachment());
        client.setIrqs(0x14, 0, 0, 1, event.attachment());
        client.call(14, new byte[8], event.attachment(), memory.attachment());
        client.post(2, VfioUserClient.mapping(1 << 20, 4096, 0, 3), memory.attachment());
        switch (end) {
          case 1 -> client.sendRaw(new byte[7], event.attachment());
          case 2 -> client.sendRaw(new byte[16], memory.attachment());
          case 3 -> client.unmap(0, 4096);
          case 4 -> end(server);
          case 5 -> client.send(1, new byte[0], event.attachment());
          default -> {}
        }
      }
    }
  }

  private static void end(VfioUserServer server) throws IOException {
    server.close();
  }

  /// What is mapped of the clients' memory and open of the kinds that a server deals in.
  private static List<String> openFiles() throws IOException {
    List<String> found = new ArrayList<>();
    try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
      maps.filter(line -> line.contains("/memfd:client memory")).forEach(found::add);
    }
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      for (Path descriptor : descriptors.toList()) {
        String target = target(descriptor);
        if (target.startsWith("socket:")
            || target.startsWith("/memfd:")
            || target.equals("anon_inode:[eventfd]")) {
          found.add(target.replaceAll("\\d+", "N"));
        }
      }
    }
    return found;
  }

  private static String target(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString();
    } catch (IOException e) {
      return ""; // closed since it was listed
    }
  }
}
