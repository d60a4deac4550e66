package dev.sluice.dma;

import dev.sluice.memory.Access;

/// What a transfer does with the bytes that it reaches.
enum TransferKind {
  READ(Access.READ),
  WRITE(Access.WRITE),
  /// A write that is never an interrupt message.
  WRITE_BACK(Access.WRITE),
  FILL(Access.WRITE),
  CHECK_READ(Access.READ),
  CHECK_WRITE(Access.WRITE),
  CHECK_BOTH(Access.READ_WRITE),
  /// Checks that report a fault, as an access that is announced does.
  CLAIM_WRITE(Access.WRITE),
  CLAIM_BOTH(Access.READ_WRITE);

  final Access access;

  TransferKind(Access access) {
    this.access = access;
  }

  boolean isCheck() {
    return this == CHECK_READ || this == CHECK_WRITE || this == CHECK_BOTH;
  }

  static TransferKind checking(Access access) {
    return switch (access) {
      case READ -> CHECK_READ;
      case WRITE -> CHECK_WRITE;
      case READ_WRITE -> CHECK_BOTH;
    };
  }
}
