package dev.sluice.vfiouser.transport;

import dev.sluice.host.UnixServerSocket;
import dev.sluice.host.UnixSocket;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// A UNIX socket that clients connect to.
public final class UnixListener implements Listener {
  private final UnixServerSocket socket;
  private final Duration sendLimit;

  private UnixListener(UnixServerSocket socket, Duration sendLimit) {
    this.socket = socket;
    this.sendLimit = sendLimit;
  }

  /// Makes the socket file, for its owner alone, and listens. A file that a dead server left is
  /// replaced.
  ///
  /// @param sendLimit how long a send to a client may wait that takes nothing
  /// @throws IOException when the path is too long, its directory is missing or not writable,
  ///   something that is not a socket is there, or a server is alive on it
  public static UnixListener listen(Path path, Duration sendLimit) throws IOException {
    return new UnixListener(UnixServerSocket.listen(path), sendLimit);
  }

  @Override
  public @Nullable Channel accept() throws IOException {
    UnixSocket client = socket.accept();
    return client == null ? null : new UnixChannel(client, sendLimit);
  }

  @Override
  public void stop() {
    socket.stop();
  }

  @Override
  public boolean awaitStop(long nanos) throws IOException {
    return socket.awaitStop(nanos);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  @Override
  public String toString() {
    return socket.path().toString();
  }
}
