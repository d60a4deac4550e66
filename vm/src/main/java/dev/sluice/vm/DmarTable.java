package dev.sluice.vm;

import dev.sluice.iommu.RequesterId;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/// The ACPI table that tells the guest's operating system where the VT-d is and whom it translates
/// (VT-d specification, section 8).
///
/// Without the 36 bytes of the ACPI header, which QEMU puts before it:
///
/// ```
///  0  host address width - 1 | 1  flags = 0: no interrupt remapping | 2..11 reserved     (8.1)
/// 12  type = 0 (DRHD) | 14 length | 16 flags = 0: only the functions listed | 17 size = 0: 4 KiB
/// 18  segment = 0 | 20 register base address (64 bits)                                  (8.3)
/// 28  for each function: type = 1 (endpoint) | length = 8 | 2 reserved | enumeration id |
///     start bus | device | function                                                    (8.3.1)
/// ```
final class DmarTable {
  private static final int HEADER = 12;
  private static final int UNIT = 16;
  private static final int SCOPE = 8;
  private static final int TYPE_DRHD = 0;
  private static final int SCOPE_ENDPOINT = 1;

  private DmarTable() {}

  /// The table for one unit.
  ///
  /// @param hostAddressWidth bits of a guest-physical address, 1 to 64
  /// @param registerBase guest-physical address of the unit's registers, a multiple of 4 KiB
  /// @param endpoints the functions behind it, all on segment 0
  static byte[] of(int hostAddressWidth, long registerBase, List<RequesterId> endpoints) {
    int unitLength = UNIT + SCOPE * endpoints.size();
    ByteBuffer table = ByteBuffer.allocate(HEADER + unitLength).order(ByteOrder.LITTLE_ENDIAN);
    table.put((byte) (hostAddressWidth - 1)).position(HEADER);
    table.putShort((short) TYPE_DRHD).putShort((short) unitLength);
    table.put((byte) 0).put((byte) 0).putShort((short) 0).putLong(registerBase);
    for (RequesterId endpoint : endpoints) {
      table.put((byte) SCOPE_ENDPOINT).put((byte) SCOPE).putShort((short) 0).put((byte) 0);
      table.put((byte) endpoint.bus());
      table.put((byte) endpoint.device()).put((byte) endpoint.function());
    }
    return table.array();
  }
}
