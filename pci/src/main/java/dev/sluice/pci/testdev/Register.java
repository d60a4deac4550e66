package dev.sluice.pci.testdev;

/// The registers of a channel of the test device, each a dword. `docs/devices.md` has them as a
/// table for users.
enum Register {
  /// Read-only: [TestDevice#MAGIC].
  ID(0x00, 0),
  /// Read-only: how the last operation is, see [Status].
  STATUS(0x04, 0),
  /// Write-only: bit 0 starts an operation, bit 1 ends its hold.
  CONTROL(0x08, 0),
  /// What to do, see [Operation].
  OPERATION(0x0c, ~0),
  /// The I/O virtual address of the first byte.
  IOVA_LOW(0x10, ~0),
  IOVA_HIGH(0x14, ~0),
  /// Bytes of one access: 1 to [TestDevice#MAX_LENGTH]; 4 or 8 for an atomic one.
  LENGTH(0x18, ~0),
  /// How many accesses: 1 to 65535; 0 means 1.
  COUNT(0x1c, 0xffff),
  /// Bytes from the start of one access to that of the next, signed.
  STRIDE(0x20, ~0),
  /// Microseconds for which each access keeps its memory mapped before it touches it;
  /// [TestDevice#UNTIL_RELEASED] to wait for CONTROL bit 1.
  HOLD(0x24, ~0),
  /// The first byte of the pattern, or the byte to fill with.
  SEED(0x28, 0xff),
  /// The interrupt vector for the end of an operation; one that does not exist, such as ffffffffh,
  /// for none.
  VECTOR(0x2c, ~0),
  /// The second number of an atomic operation.
  OPERAND_LOW(0x30, ~0),
  OPERAND_HIGH(0x34, ~0),
  /// The expected value of a compare and exchange.
  COMPARE_LOW(0x38, ~0),
  COMPARE_HIGH(0x3c, ~0),
  /// Read-only, as all that follow: bytes that moved.
  MOVED_LOW(0x40, 0),
  MOVED_HIGH(0x44, 0),
  /// Why the operation was aborted, see [AbortCode]; 0 if it was not.
  ABORT_REASON(0x48, 0),
  /// The IOMMU's own fault code; ffffffffh if none refused.
  FAULT_CODE(0x4c, 0),
  /// The first address that was refused.
  ABORT_IOVA_LOW(0x50, 0),
  ABORT_IOVA_HIGH(0x54, 0),
  /// CRC-32 (IEEE 802.3, as zlib has it) of all bytes read.
  CHECKSUM(0x58, 0),
  /// What an atomic operation found.
  WITNESS_LOW(0x5c, 0),
  WITNESS_HIGH(0x60, 0),
  /// How many operations have ended since the last reset, however they did.
  ENDED(0x64, 0);

  private final int offset;
  private final int writable;

  Register(int offset, int writable) {
    this.offset = offset;
    this.writable = writable;
  }

  /// Bytes from the start of the channel.
  int offset() {
    return offset;
  }

  /// The bits that the guest may change and read back.
  int writable() {
    return writable;
  }
}
