package dev.sluice.pci.nvme;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// A command as the guest put it into a submission queue (NVMe 1.4, 4.2). One object is filled
/// again for each command of a thread.
///
/// ```
///       31           16 15  14 13  10  9  8 7             0
///  00h |  command id   | PSDT |      | FUSE |    opcode    |
///  04h |  namespace id                                     |
///  08h |  reserved, two dwords                             |
///  10h |  metadata pointer, two dwords                     |
///  18h |  data pointer, four dwords: PRP1, PRP2 or an SGL  |
///  28h |  command dwords 10 to 15                          |
/// ```
final class SubmissionEntry {
  /// Bytes.
  static final int SIZE = 64;

  /// log2 of [#SIZE], as CC.IOSQES has it.
  static final int SHIFT = 6;

  private static final ValueLayout.OfInt DWORD =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong QWORD =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final MemorySegment bytes = Arena.ofAuto().allocate(SIZE, SIZE);

  /// The 64 bytes, to be filled.
  MemorySegment bytes() {
    return bytes;
  }

  int opcode() {
    return dword(0) & 0xff;
  }

  /// FUSE: part of a fused operation.
  boolean fused() {
    return (dword(0) >>> 8 & 0b11) != 0;
  }

  /// PSDT: 0 when the data pointer is PRPs, 1 or 2 when it is an SGL.
  int dataPointerType() {
    return dword(0) >>> 14 & 0b11;
  }

  int commandId() {
    return dword(0) >>> 16;
  }

  int namespaceId() {
    return dword(1);
  }

  /// PRP1, or the address of the SGL descriptor.
  long prp1() {
    return bytes.get(QWORD, 0x18);
  }

  /// PRP2, or the length and type of the SGL descriptor.
  long prp2() {
    return bytes.get(QWORD, 0x20);
  }

  /// Command dword `index`, 10 to 15.
  int commandDword(int index) {
    return dword(index);
  }

  /// Command dwords 10 and 11: the first logical block of a command that has one.
  long startingBlock() {
    return bytes.get(QWORD, 0x28);
  }

  /// Bytes of the logical blocks that a command with a block count, in command dword 12, is about.
  long transferLength() {
    return ((dword(12) & 0xffff) + 1L) << Namespace.BLOCK_SHIFT;
  }

  private int dword(int index) {
    return bytes.get(DWORD, 4L * index);
  }
}
