package dev.sluice.pci.nvme;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// The Commands Supported and Effects log (NVMe 1.4, 5.14.1.5): a dword for each of 256 admin and
/// 256 I/O opcodes.
///
/// ```
///  31   19 18  16 15         5   4    3    2    1     0
/// +-------+------+------------+-----+-----+----+------+-------+
/// |       | CSE  |            | CCC | NIC | NCC| LBCC | CSUPP |
/// +-------+------+------------+-----+-----+----+------+-------+
/// ```
final class CommandEffects {
  private static final int SIZE = 4096;
  private static final int IO_COMMANDS = 1024;
  private static final int SUPPORTED = 1;
  private static final int CHANGES_CONTENT = 1 << 1;

  private CommandEffects() {}

  static byte[] page() {
    byte[] bytes = new byte[SIZE];
    ByteBuffer at = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (int opcode : AdminCommands.OPCODES) {
      at.putInt(4 * opcode, SUPPORTED);
    }
    for (int opcode : IoCommands.OPCODES) {
      at.putInt(IO_COMMANDS + 4 * opcode, SUPPORTED);
    }
    for (int opcode : IoCommands.CHANGING) {
      at.putInt(IO_COMMANDS + 4 * opcode, SUPPORTED | CHANGES_CONTENT);
    }
    return bytes;
  }
}
