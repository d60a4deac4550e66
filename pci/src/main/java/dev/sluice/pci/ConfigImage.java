package dev.sluice.pci;

import java.util.ArrayList;
import java.util.List;

/// The declaration of a configuration space while it is built: reset values, writable bits and
/// hooks, relative to the start of the header or capability that is being laid out.
public final class ConfigImage {
  private final byte[] reset;
  private final byte[] writable;
  private final List<Hook> hooks;
  private final int base;
  private final int length;

  ConfigImage() {
    this(
        new byte[ConfigSpace.SIZE],
        new byte[ConfigSpace.SIZE],
        new ArrayList<>(),
        0,
        ConfigSpace.SIZE);
  }

  private ConfigImage(byte[] reset, byte[] writable, List<Hook> hooks, int base, int length) {
    this.reset = reset;
    this.writable = writable;
    this.hooks = hooks;
    this.base = base;
    this.length = length;
  }

  /// What runs after a write touched any of the bytes `first..last`.
  record Hook(int first, int last, Runnable written) {}

  /// The part of this image that starts at `offset` and has `bytes` bytes.
  ConfigImage part(int offset, int bytes) {
    check(offset, bytes);
    return new ConfigImage(reset, writable, hooks, base + offset, bytes);
  }

  /// Declares a register of `size` bytes, little-endian.
  ///
  /// @param offset bytes from the start of this part
  /// @param size 1, 2 or 4 bytes
  /// @param value the value after reset
  /// @param writableBits the bits that software may change; the others read as `value`
  public ConfigImage register(int offset, int size, int value, int writableBits) {
    check(offset, size);
    for (int i = 0; i < size; i++) {
      reset[base + offset + i] = (byte) (value >>> (8 * i));
      writable[base + offset + i] = (byte) (writableBits >>> (8 * i));
    }
    return this;
  }

  /// Declares a read-only register of `size` bytes, little-endian.
  public ConfigImage constant(int offset, int size, int value) {
    return register(offset, size, value, 0);
  }

  /// Runs `written` after each write that touches any of `size` bytes at `offset`, and after each
  /// reset. It runs on the thread that wrote and must not block.
  public ConfigImage hook(int offset, int size, Runnable written) {
    check(offset, size);
    hooks.add(new Hook(base + offset, base + offset + size - 1, written));
    return this;
  }

  byte[] resetValues() {
    return reset.clone();
  }

  byte[] writableBits() {
    return writable.clone();
  }

  List<Hook> hooks() {
    return List.copyOf(hooks);
  }

  private void check(int offset, int size) {
    if (offset < 0 || size < 1 || offset > length - size) {
      throw new IllegalArgumentException(
          size + " bytes at " + offset + " are outside a part of " + length + " bytes");
    }
  }
}
