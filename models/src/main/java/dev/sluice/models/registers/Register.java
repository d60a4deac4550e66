package dev.sluice.models.registers;

/// The declaration of one memory-mapped register: everything that is known of it before it is used.
///
/// Bits that are neither [#writable()] nor [#writeOneToClear()] ignore what the guest writes; the
/// model changes them through [RegisterBank#set].
///
/// @param name as the architecture's specification writes it
/// @param offset bytes from the start of the bank, a multiple of `size`
/// @param size bytes, 4 or 8
/// @param reset value after a reset
/// @param writable bits that take the written value
/// @param writeOneToClear bits that a written 1 clears and a written 0 leaves alone
public record Register(
    String name, int offset, int size, long reset, long writable, long writeOneToClear) {

  /// Checks the geometry and that the masks fit and do not overlap.
  public Register {
    if (size != Integer.BYTES && size != Long.BYTES) {
      throw new IllegalArgumentException(name + ": a register has 4 or 8 bytes, not " + size);
    }
    if (offset < 0 || offset % size != 0) {
      throw new IllegalArgumentException(
          "%s: offset 0x%x is not a multiple of %d".formatted(name, offset, size));
    }
    long outside = ~ones(size);
    if (((reset | writable | writeOneToClear) & outside) != 0) {
      throw new IllegalArgumentException(name + ": a mask or the reset value exceeds its size");
    }
    if ((writable & writeOneToClear) != 0) {
      throw new IllegalArgumentException(name + ": a bit cannot be writable and write-1-to-clear");
    }
  }

  /// A register that the guest only reads, zero after reset.
  public static Register of(String name, int offset, int size) {
    return new Register(name, offset, size, 0, 0, 0);
  }

  /// The same with another reset value.
  public Register resetTo(long value) {
    return new Register(name, offset, size, value, writable, writeOneToClear);
  }

  /// The same with these bits, and no others, writable.
  public Register writable(long bits) {
    return new Register(name, offset, size, reset, bits, writeOneToClear);
  }

  /// The same with these bits, and no others, cleared by writing 1.
  public Register writeOneToClear(long bits) {
    return new Register(name, offset, size, reset, writable, bits);
  }

  /// The content after a write.
  ///
  /// @param before the content
  /// @param written what the guest wrote, at the register's own bit positions; 0 where it wrote
  ///   nothing
  /// @param touched the bits that the access covered
  long afterWrite(long before, long written, long touched) {
    long taken = writable & touched;
    long cleared = writeOneToClear & written;
    return (before & ~taken & ~cleared) | (written & taken);
  }

  static long ones(int bytes) {
    return bytes == Long.BYTES ? -1 : (1L << (8 * bytes)) - 1;
  }
}
