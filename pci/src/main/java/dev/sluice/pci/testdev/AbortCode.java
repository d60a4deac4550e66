package dev.sluice.pci.testdev;

import dev.sluice.iommu.AbortReason;

/// The numbers of the register ABORT_REASON. They are part of the device's interface, and so they
/// do not follow the order of an enum.
final class AbortCode {
  /// The operation was not aborted.
  static final int NONE = 0;

  /// The mapping was held for longer than an invalidation waits, and was taken away.
  static final int REVOKED = 32;

  private AbortCode() {}

  static int of(AbortReason reason) {
    return switch (reason) {
      case NOT_MAPPED -> 1;
      case NO_READ -> 2;
      case NO_WRITE -> 3;
      case BLOCKED -> 4;
      case BAD_TABLE -> 5;
      case ADDRESS_WIDTH -> 6;
      case INTERRUPT_RANGE -> 7;
      case ADDRESS_WRAP -> 8;
      case NO_MEMORY -> 9;
      case READ_ONLY_MEMORY -> 10;
      case MISALIGNED -> 11;
      case WOULD_BLOCK -> 12;
      case MEMORY_FAILED -> 13;
      case BUS_MASTER_OFF -> 14;
      case NO_ATOMICS -> 15;
    };
  }
}
