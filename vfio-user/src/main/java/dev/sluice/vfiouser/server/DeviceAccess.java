package dev.sluice.vfiouser.server;

/// An access to the client's memory that a device waits for: one message or several, one after
/// another. Guarded by the lock of [PeerMemory].
final class DeviceAccess {
  private final long first;
  private final long last;
  private boolean aborted;

  /// @param address guest-physical
  /// @param length bytes, 1 or more
  DeviceAccess(long address, long length) {
    first = address;
    last = address + (length - 1);
  }

  /// Lets it end, if any of `[from, to]` is among what it is about.
  void abort(long from, long to) {
    aborted |= Long.compareUnsigned(first, to) <= 0 && Long.compareUnsigned(from, last) <= 0;
  }

  /// Whether it has to end.
  boolean isAborted() {
    return aborted;
  }
}
