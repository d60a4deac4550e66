package dev.sluice.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnixServerSocketTest {
  @TempDir Path directory;

  @Test
  void aClientConnectsAndIsAccepted() throws Exception {
    try (UnixServerSocket server = UnixServerSocket.listen(directory.resolve("s"));
        UnixSocket client = UnixSocket.connect(server.path());
        UnixSocket accepted = server.accept();
        Arena arena = Arena.ofConfined()) {
      MemorySegment byteSent = arena.allocate(1);
      client.send(byteSent, 0, 1, List.of());
      assertThat(accepted).isNotNull();
      assertThat(accepted.receive(byteSent, 0, 1, new ArrayList<>())).isEqualTo(1);
    }
  }

  @Test
  void theFileIsTheOwnersAloneAndGoesWithTheServer() throws Exception {
    Path path = directory.resolve("s");
    try (UnixServerSocket server = UnixServerSocket.listen(path)) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(server.path())))
          .isEqualTo("rw-------");
    }
    assertThat(path).doesNotExist();
  }

  @Test
  void aFileThatSomebodyElsePutThereIsLeftAlone() throws Exception {
    Path path = directory.resolve("s");
    UnixServerSocket server = UnixServerSocket.listen(path);
    Files.delete(path);
    Files.writeString(path, "another's");
    server.close();
    assertThat(path).hasContent("another's");
  }

  @Test
  void aServerThatIsAliveKeepsItsPath() throws Exception {
    Path path = directory.resolve("s");
    try (UnixServerSocket server = UnixServerSocket.listen(path)) {
      assertThatThrownBy(() -> UnixServerSocket.listen(path))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("another server is answering on it");
      assertThat(server.path()).exists();
    }
  }

  @Test
  void theFileOfADeadServerIsReplaced() throws Exception {
    Path path = directory.resolve("s");
    try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      dead.bind(UnixDomainSocketAddress.of(path));
    }
    assertThat(path).exists();
    try (UnixServerSocket server = UnixServerSocket.listen(path);
        UnixSocket client = UnixSocket.connect(server.path())) {
      assertThat(client.peerProcess()).isPositive();
    }
  }

  @Test
  void aFileThatIsNoSocketIsNotReplaced() throws Exception {
    Path path = Files.writeString(directory.resolve("s"), "precious");
    assertThatThrownBy(() -> UnixServerSocket.listen(path))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("something else is there");
    assertThat(path).hasContent("precious");
  }

  @Test
  void aPathThatTheKernelCannotTakeIsNamedAsTooLong() {
    Path path = directory.resolve("x".repeat(108));
    assertThatThrownBy(() -> UnixServerSocket.listen(path))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("the kernel takes 107 at the most");
  }

  @Test
  void aMissingDirectoryIsNamed() {
    Path path = directory.resolve("missing/s");
    assertThatThrownBy(() -> UnixServerSocket.listen(path))
        .isInstanceOf(SystemCallException.class)
        .hasMessageContaining(path.toString())
        .hasMessageContaining("ENOENT");
  }

  @Test
  void aFailureLeavesNoDescriptorOpen() throws Exception {
    long before = OpenDescriptors.count();
    assertThatThrownBy(() -> UnixServerSocket.listen(directory.resolve("missing/s")))
        .isInstanceOf(IOException.class);
    assertThatThrownBy(() -> UnixSocket.connect(directory.resolve("nobody")))
        .isInstanceOf(SystemCallException.class)
        .hasMessageContaining("connect failed with ENOENT");
    assertThat(OpenDescriptors.count()).isEqualTo(before);
  }

  @Test
  void stopEndsAnAcceptThatWaits() throws Exception {
    try (UnixServerSocket server = UnixServerSocket.listen(directory.resolve("s"))) {
      CompletableFuture<Boolean> stopped = new CompletableFuture<>();
      Thread acceptor =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  stopped.complete(server.accept() == null);
                } catch (SystemCallException e) {
                  stopped.completeExceptionally(e);
                }
              });
      assertThat(server.awaitStop(0)).isFalse();
      server.stop();
      assertThat(stopped.get()).isTrue();
      assertThat(server.awaitStop(0)).isTrue();
      acceptor.join();
    }
  }
}
