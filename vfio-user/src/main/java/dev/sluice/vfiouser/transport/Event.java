package dev.sluice.vfiouser.transport;

/// A counter that one side adds to and the other waits for, as `eventfd(2)` is. Safe for any
/// thread.
public interface Event extends AutoCloseable {
  /// Adds one. Does not block; swallowed after [#close()].
  void signal();

  /// Takes the count and sets it to zero.
  ///
  /// @return 0 when nobody signalled
  long take();

  @Override
  void close();
}
