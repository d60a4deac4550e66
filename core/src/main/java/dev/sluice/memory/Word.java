package dev.sluice.memory;

/// A cell for a loaded value, owned and reused by one thread, so that a load can return its status
/// and allocate nothing.
public final class Word {
  private long value;

  /// A cell holding zero.
  public Word() {}

  /// The value, zero-extended from the size of the load.
  public long asLong() {
    return value;
  }

  /// The low 32 bits.
  public int asInt() {
    return (int) value;
  }

  /// Replaces the value.
  public void set(long newValue) {
    value = newValue;
  }

  @Override
  public String toString() {
    return "0x" + Long.toHexString(value);
  }
}
