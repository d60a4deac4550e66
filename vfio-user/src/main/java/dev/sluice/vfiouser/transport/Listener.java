package dev.sluice.vfiouser.transport;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// Where clients connect. One thread accepts; any thread stops.
public interface Listener extends AutoCloseable {
  /// Waits for a client.
  ///
  /// @return null after [#stop()]
  /// @throws IOException when a client could not be accepted; it may still be waiting
  @Nullable Channel accept() throws IOException;

  /// Lets [#accept()] return null, now and from now on.
  void stop();

  /// Waits for [#stop()].
  ///
  /// @param nanos the longest wait
  /// @return whether it was called
  boolean awaitStop(long nanos) throws IOException;

  /// Gives the place up, after the accepting thread has left.
  @Override
  void close() throws IOException;
}
