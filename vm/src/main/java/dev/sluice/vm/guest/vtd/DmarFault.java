package dev.sluice.vm.guest.vtd;

import dev.sluice.iommu.RequesterId;

/// A fault that the remapping hardware recorded (11.4.14).
///
/// ```
///  low    63                  12 | 11   0
///         address of the page    |
///  high   63 | 62 61 60 | 59  40 | 39  32 | 31 30 29 28 | 27 16 | 15         0
///          F | T1  AT   | PASID  | reason | PP EXE P T2 |       | requester id
/// ```
///
/// @param source who made the request
/// @param read whether it was a read
/// @param page address of the page, a multiple of 4096
/// @param reason the code of table 30 (7.1.3)
public record DmarFault(RequesterId source, boolean read, long page, int reason) {
  /// Bytes of a record.
  static final int SIZE = 16;

  /// Bit 31 of the record's last 4 bytes: the record holds a fault; written 1, it is cleared.
  static final int FAULT = 1 << 31;

  private static final int TYPE_READ = 1 << 30;
  private static final int REASON = 0xFF;
  private static final int SOURCE = 0xFFFF;
  private static final long PAGE = -4096;

  /// Takes a record apart.
  ///
  /// @param last its bytes 12 to 15
  /// @param third its bytes 8 to 11
  /// @param low its bytes 0 to 7
  static DmarFault decode(int last, int third, long low) {
    return new DmarFault(
        new RequesterId(third & SOURCE), (last & TYPE_READ) != 0, low & PAGE, last & REASON);
  }

  /// As Linux logs it.
  @Override
  public String toString() {
    return "[DMA %s NO_PASID] Request device [%s] fault addr 0x%x [fault reason 0x%02x]"
        .formatted(read ? "Read" : "Write", source, page, reason);
  }
}
