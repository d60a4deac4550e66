package dev.sluice.models.vtd;

/// Why the invalidation queue stopped, VT-d specification 11.4.9.9 (IQERCD_REG.IQEI).
enum QueueError {
  /// The tail lies outside of the queue.
  TAIL(1),
  /// The memory that should hold the descriptor cannot be read.
  FETCH(2),
  /// The descriptor's type is unknown, or needs a capability that the unit has not.
  TYPE(3),
  /// A reserved field of the descriptor is set, or a field has a reserved value.
  RESERVED_FIELD(4);

  private final int code;

  QueueError(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }
}
