package dev.sluice.vfiouser.server;

import dev.sluice.vfiouser.wire.Command;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;

/// A request to the client whose reply is expected. Guarded by the lock of [PeerMemory].
final class PeerRequest {
  /// What the reply is for.
  enum Purpose {
    /// To learn which layout the client has; nobody waits.
    PROBE,
    /// A message write that nobody waits for.
    POST,
    /// An access that a device waits for.
    ACCESS
  }

  /// How it stands.
  enum State {
    /// No reply yet.
    WAITING,
    /// Done as asked.
    DONE,
    /// Refused, aborted, or the client has gone.
    FAILED
  }

  final Purpose purpose;

  /// What this is a part of, if a device waits for it.
  final @Nullable DeviceAccess access;

  final Command command;
  final long address;
  final int count;

  /// Where the bytes of a read go.
  final @Nullable MemorySegment into;

  final long offset;

  /// Signalled when the state changes; of a request that somebody waits for.
  final @Nullable Condition changed;

  State state = State.WAITING;

  private PeerRequest(
      Purpose purpose,
      @Nullable DeviceAccess access,
      Command command,
      long address,
      int count,
      @Nullable MemorySegment into,
      long offset,
      @Nullable Condition changed) {
    this.purpose = purpose;
    this.access = access;
    this.command = command;
    this.address = address;
    this.count = count;
    this.into = into;
    this.offset = offset;
    this.changed = changed;
  }

  static PeerRequest probe() {
    return new PeerRequest(Purpose.PROBE, null, Command.DMA_WRITE, 0, 0, null, 0, null);
  }

  static PeerRequest post(long address) {
    return new PeerRequest(
        Purpose.POST, null, Command.DMA_WRITE, address, Integer.BYTES, null, 0, null);
  }

  static PeerRequest read(
      DeviceAccess access,
      long address,
      int count,
      MemorySegment into,
      long offset,
      Condition changed) {
    return new PeerRequest(
        Purpose.ACCESS, access, Command.DMA_READ, address, count, into, offset, changed);
  }

  static PeerRequest write(DeviceAccess access, long address, int count, Condition changed) {
    return new PeerRequest(
        Purpose.ACCESS, access, Command.DMA_WRITE, address, count, null, 0, changed);
  }

  void end(State how) {
    state = how;
    if (changed != null) {
      changed.signalAll();
    }
  }
}
