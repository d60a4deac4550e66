package dev.sluice.pci.nvme;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// A submission queue entry as a guest's driver builds it, from the figures of the specification
/// and not from the controller's classes.
final class Command {
  private final ByteBuffer bytes = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);

  Command(int opcode) {
    bytes.put(0, (byte) opcode);
  }

  static Command identify(int cns, int namespace, long buffer) {
    return new Command(0x06).namespace(namespace).prp(buffer, 0).dword(10, cns);
  }

  static Command createCompletionQueue(int id, int entries, int vector, long address) {
    return new Command(0x05)
        .prp(address, 0)
        .dword(10, (entries - 1) << 16 | id)
        .dword(11, vector << 16 | 0b11);
  }

  static Command createSubmissionQueue(int id, int entries, int completionQueue, long address) {
    return new Command(0x01)
        .prp(address, 0)
        .dword(10, (entries - 1) << 16 | id)
        .dword(11, completionQueue << 16 | 1);
  }

  static Command setFeature(int id, int value) {
    return new Command(0x09).dword(10, id).dword(11, value);
  }

  static Command getFeature(int id) {
    return new Command(0x0a).dword(10, id);
  }

  /// Get Log Page for `bytes` bytes.
  static Command logPage(int id, int bytes, long buffer) {
    return new Command(0x02)
        .namespace(0xffff_ffff)
        .prp(buffer, 0)
        .dword(10, (bytes / 4 - 1) << 16 | id);
  }

  static Command doorbellBuffers(long shadows, long eventIndices) {
    return new Command(0x7c).prp(shadows, eventIndices);
  }

  static Command write(long block, int blocks, long buffer) {
    return onBlocks(0x01, block, blocks).prp(buffer, 0);
  }

  static Command read(long block, int blocks, long buffer) {
    return onBlocks(0x02, block, blocks).prp(buffer, 0);
  }

  static Command flush() {
    return new Command(0x00).namespace(1);
  }

  static Command onBlocks(int opcode, long block, int blocks) {
    return new Command(opcode)
        .namespace(1)
        .dword(10, (int) block)
        .dword(11, (int) (block >>> 32))
        .dword(12, blocks - 1);
  }

  Command id(int commandId) {
    bytes.putShort(2, (short) commandId);
    return this;
  }

  Command flags(int fuseAndPsdt) {
    bytes.put(1, (byte) fuseAndPsdt);
    return this;
  }

  Command namespace(int id) {
    bytes.putInt(4, id);
    return this;
  }

  Command prp(long first, long second) {
    bytes.putLong(24, first);
    bytes.putLong(32, second);
    return this;
  }

  /// An SGL descriptor in the data pointer.
  Command sgl(long address, long length, int type) {
    flags(0b01 << 6);
    return prp(address, length | (long) type << 56);
  }

  Command dword(int index, int value) {
    bytes.putInt(4 * index, value);
    return this;
  }

  byte[] bytes() {
    return bytes.array();
  }
}
