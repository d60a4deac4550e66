package dev.sluice.pci.nvme;

import java.util.UUID;

/// The controller's one namespace: blocks of 512 bytes on a backend. An odd tail of the backend
/// that does not fill a block is not part of it.
final class Namespace {
  /// The identifier; NN is 1, so it is the only one.
  static final int ID = 1;

  /// The identifier that means every namespace.
  static final int ALL = 0xffff_ffff;

  /// log2 of the bytes of a logical block.
  static final int BLOCK_SHIFT = 9;

  static final int BLOCK = 1 << BLOCK_SHIFT;

  private final BlockBackend backend;
  private final UUID uuid;
  private volatile long blocks;

  Namespace(BlockBackend backend, UUID uuid) {
    this.backend = backend;
    this.uuid = uuid;
    blocks = backend.size() >>> BLOCK_SHIFT;
    if (blocks == 0) {
      throw new IllegalArgumentException(
          "a namespace needs a block of "
              + BLOCK
              + " bytes, and the backend has "
              + backend.size());
    }
  }

  BlockBackend backend() {
    return backend;
  }

  UUID uuid() {
    return uuid;
  }

  /// NSZE, the number of logical blocks.
  long blocks() {
    return blocks;
  }

  /// Takes over the backend's size; whether it had changed.
  boolean refreshSize() {
    long before = blocks;
    blocks = Math.max(1, backend.size() >>> BLOCK_SHIFT);
    return blocks != before;
  }

  /// Whether `count` blocks from `first` on exist; both unsigned.
  boolean contains(long first, long count) {
    long size = blocks;
    return first >= 0 && first <= size && count <= size - first;
  }
}
