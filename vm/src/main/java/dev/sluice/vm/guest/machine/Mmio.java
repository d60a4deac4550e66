package dev.sluice.vm.guest.machine;

import java.util.Objects;

/// A device's registers: a window of a [Bus] at an address that firmware chose.
public final class Mmio {
  private final Bus bus;
  private final long base;
  private final long size;

  /// @param base physical address of the first register
  /// @param size bytes
  public Mmio(Bus bus, long base, long size) {
    this.bus = bus;
    this.base = base;
    this.size = size;
  }

  /// Physical address of the first register.
  public long base() {
    return base;
  }

  /// Bytes.
  public long size() {
    return size;
  }

  /// Reads 4 bytes.
  public int read32(long offset) {
    return (int) bus.read(address(offset, Integer.BYTES), Integer.BYTES);
  }

  /// Reads 8 bytes in one access.
  public long read64(long offset) {
    return bus.read(address(offset, Long.BYTES), Long.BYTES);
  }

  /// Writes 4 bytes.
  public void write32(long offset, int value) {
    bus.write(address(offset, Integer.BYTES), Integer.BYTES, Integer.toUnsignedLong(value));
  }

  /// Writes 8 bytes in one access.
  public void write64(long offset, long value) {
    bus.write(address(offset, Long.BYTES), Long.BYTES, value);
  }

  /// Reads 1, 2, 4 or 8 bytes.
  public long read(long offset, int bytes) {
    return bus.read(address(offset, bytes), bytes);
  }

  /// Writes 1, 2, 4 or 8 bytes.
  public void write(long offset, int bytes, long value) {
    bus.write(address(offset, bytes), bytes, value);
  }

  private long address(long offset, int bytes) {
    return base + Objects.checkFromIndexSize(offset, bytes, size);
  }
}
