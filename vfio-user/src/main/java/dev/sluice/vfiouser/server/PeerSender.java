package dev.sluice.vfiouser.server;

import dev.sluice.vfiouser.transport.Channel;
import dev.sluice.vfiouser.wire.DmaAccess;
import dev.sluice.vfiouser.wire.Header;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// Puts requests to the client together and sends them, one at a time, from any thread.
final class PeerSender {
  private static final Logger LOG = System.getLogger(PeerSender.class.getName());

  private final Channel channel;
  private final MemorySegment buffer;

  /// Guards [#buffer], and orders what is sent with what is aborted.
  private final ReentrantLock sending = new ReentrantLock();

  /// @param buffer of [#bufferBytes()]
  PeerSender(Channel channel, MemorySegment buffer) {
    this.channel = channel;
    this.buffer = buffer;
  }

  /// Bytes of the largest request.
  static long bufferBytes() {
    return DmaAccess.SIZE_WITHOUT_DATA + Limits.PEER_TRANSFER;
  }

  /// Sends a request. When that fails, the connection ends.
  ///
  /// @param wanted asked last of all: false keeps it from being sent
  /// @param from the bytes of a write, from `offset` on
  void send(
      int id,
      PeerRequest request,
      BooleanSupplier wanted,
      DmaAccess.Layout layout,
      @Nullable MemorySegment from,
      long offset) {
    sending.lock();
    try {
      if (!wanted.getAsBoolean()) {
        return;
      }
      channel.send(buffer, 0, put(id, request, layout, from, offset), List.of());
    } catch (IOException e) {
      failed(e);
    } finally {
      sending.unlock();
    }
  }

  /// Sends a short write, unless somebody had to be waited for. Within [#tryAlone].
  ///
  /// @param wanted as for [#send]
  /// @return false when it was not sent, and may be later
  boolean sendNow(
      int id,
      PeerRequest request,
      BooleanSupplier wanted,
      DmaAccess.Layout layout,
      MemorySegment from) {
    try {
      return !wanted.getAsBoolean()
          || channel.sendNow(buffer, 0, put(id, request, layout, from, 0));
    } catch (IOException e) {
      failed(e);
      return true;
    }
  }

  /// @return bytes of the message
  private long put(
      int id,
      PeerRequest request,
      DmaAccess.Layout layout,
      @Nullable MemorySegment from,
      long offset) {
    long size = DmaAccess.SIZE_WITHOUT_DATA + (from == null ? 0 : request.count);
    Header.putCommand(buffer, id, request.command, size);
    DmaAccess.putRequest(buffer, layout, request.address, request.count, from != null);
    if (from != null) {
      MemorySegment.copy(from, offset, buffer, layout.data(), request.count);
    }
    return size;
  }

  private void failed(IOException e) {
    // Most often the client has just gone, which the session sees and tells.
    LOG.log(Level.DEBUG, "could not ask the client for its memory", e);
    channel.shutdown();
  }

  /// Whether a short message would be taken at once.
  boolean isWritable() {
    try {
      return channel.isWritable();
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "could not ask whether the client takes more", e);
      return false;
    }
  }

  /// Runs `change` while nobody else asks for anything, unless somebody does just now, perhaps for
  /// long.
  ///
  /// @return what it answers; false when it did not run
  boolean tryAlone(BooleanSupplier change) {
    if (!sending.tryLock()) {
      return false;
    }
    try {
      return change.getAsBoolean();
    } finally {
      sending.unlock();
    }
  }

  /// Runs `change` while nobody sends: who sends afterwards sees it when asked what is wanted.
  /// Several sends within `change` are not parted.
  void alone(Runnable change) {
    sending.lock();
    try {
      change.run();
    } finally {
      sending.unlock();
    }
  }
}
