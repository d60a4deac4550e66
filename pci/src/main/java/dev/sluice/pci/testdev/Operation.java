package dev.sluice.pci.testdev;

import dev.sluice.memory.Access;
import org.jspecify.annotations.Nullable;

/// What the device does with guest memory; the code is what the register OPERATION holds.
enum Operation {
  /// Reads bytes; the first 4096 show up in the window, and their CRC-32 in CHECKSUM.
  READ(1, Access.READ),
  /// Writes bytes that count up from SEED: byte `i` of the access is `(SEED + i) & 0xff`.
  WRITE(2, Access.WRITE),
  /// Writes the low byte of SEED to every byte.
  FILL(3, Access.WRITE),
  /// Adds OPERAND to 4 or 8 bytes, as one atomic operation; WITNESS has what was there.
  FETCH_AND_ADD(4, Access.READ_WRITE),
  /// Replaces 4 or 8 bytes by OPERAND if they are COMPARE, as one atomic operation; WITNESS has
  /// what was there.
  COMPARE_AND_EXCHANGE(5, Access.READ_WRITE),
  /// Asks whether the access would be allowed, without making it and without a fault in the guest's
  /// records.
  CHECK_READ(6, Access.READ),
  /// As [#CHECK_READ] for a write.
  CHECK_WRITE(7, Access.WRITE);

  private final int code;
  private final Access access;

  Operation(int code, Access access) {
    this.code = code;
    this.access = access;
  }

  Access access() {
    return access;
  }

  boolean atomic() {
    return access == Access.READ_WRITE;
  }

  /// Whether it can be done through a mapping that is held for a while.
  boolean holdable() {
    return this == READ || this == WRITE || this == FILL;
  }

  /// The operation with this code, if there is one.
  static @Nullable Operation of(int code) {
    for (Operation operation : values()) {
      if (operation.code == code) {
        return operation;
      }
    }
    return null;
  }
}
