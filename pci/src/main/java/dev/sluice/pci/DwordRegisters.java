package dev.sluice.pci;

/// A BAR whose registers are dwords, as those of most devices are.
///
/// An access reads each dword that it touches once, so that a register which another thread changes
/// is never seen half old and half new. A read may have any size and alignment. A write is of a
/// dword or a qword, naturally aligned, the low dword of a qword first; any other, which devices
/// leave undefined, is ignored.
public abstract class DwordRegisters implements BarHandler {
  /// A BAR without state of its own.
  protected DwordRegisters() {}

  /// Reads the dword at `offset`, a multiple of 4.
  protected abstract int readDword(long offset);

  /// Writes the dword at `offset`, a multiple of 4.
  protected abstract void writeDword(long offset, int value);

  @Override
  public final long read(long offset, int size) {
    long result = 0;
    for (int done = 0; done < size; ) {
      int skip = (int) (offset + done) & 3;
      int part = Math.min(Integer.BYTES - skip, size - done);
      long dword = Integer.toUnsignedLong(readDword(offset + done - skip));
      long bits = dword >>> (8 * skip) & ((1L << (8 * part)) - 1);
      result |= bits << (8 * done);
      done += part;
    }
    return result;
  }

  @Override
  public final void write(long offset, int size, long value) {
    if ((size != Integer.BYTES && size != Long.BYTES) || offset % size != 0) {
      return;
    }
    writeDword(offset, (int) value);
    if (size == Long.BYTES) {
      writeDword(offset + Integer.BYTES, (int) (value >>> 32));
    }
  }
}
