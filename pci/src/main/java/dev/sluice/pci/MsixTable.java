package dev.sluice.pci;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Objects;

/// The MSI-X table and pending bit array of a function, in a BAR of their own (PCIe 7.7.2.1 to
/// 7.7.2.8).
///
/// ```
///  16 n +0h | 31:2 message address           | 0 |     one entry a vector
///       +4h | message upper address              |
///       +8h | message data                       |
///       +Ch | reserved                | 0 = mask |
///  pendingOffset():  one bit a vector, in 64-bit words, read-only
/// ```
///
/// A virtual machine monitor commonly keeps a table of its own and shows this one to nobody; then
/// every entry here stays masked, as after reset, and means nothing. So a device never asks it: it
/// [signals][Interrupts#signal(int)], and only a host that delivers by this table, such as
/// [MsixInterrupts], reads it.
public final class MsixTable extends DwordRegisters {
  /// The most vectors that the capability can declare.
  public static final int MAX_VECTORS = 2048;

  private static final int ENTRY = 16;
  private static final int ENTRY_WORDS = 4;
  private static final int VECTOR_CONTROL = 3;
  private static final int MASKED = 1;

  /// The two parts on pages of their own, so that a monitor can let a guest see one without the
  /// other.
  private static final int PAGE = 4096;

  private final int vectors;
  private final int[] words;
  private final BitSet pending;
  private Runnable listener = () -> {};

  /// A table of `vectors` masked entries.
  ///
  /// @param vectors 1 to 2048
  public MsixTable(int vectors) {
    if (vectors < 1 || vectors > MAX_VECTORS) {
      throw new IllegalArgumentException(vectors + " vectors are not in 1.." + MAX_VECTORS);
    }
    this.vectors = vectors;
    words = new int[vectors * ENTRY_WORDS];
    pending = new BitSet(vectors);
    reset();
  }

  /// How many vectors there are.
  public int vectors() {
    return vectors;
  }

  /// Bytes from the start of the BAR to the pending bits: the table's size, rounded up to pages.
  public long pendingOffset() {
    return (long) (vectors * ENTRY + PAGE - 1) / PAGE * PAGE;
  }

  /// Bytes of the BAR that holds the table and the pending bits: a power of two.
  public long barSize() {
    return Long.highestOneBit(pendingOffset() + PAGE - 1) << 1;
  }

  /// Masks every entry, clears the rest and every pending bit.
  public synchronized void reset() {
    Arrays.fill(words, 0);
    for (int vector = 0; vector < vectors; vector++) {
      words[vector * ENTRY_WORDS + VECTOR_CONTROL] = MASKED;
    }
    pending.clear();
  }

  /// The address that the message of `vector` is written to.
  public synchronized long address(int vector) {
    int entry = entry(vector);
    return Integer.toUnsignedLong(words[entry]) | (long) words[entry + 1] << 32;
  }

  /// The data of the message of `vector`.
  public synchronized int data(int vector) {
    return words[entry(vector) + 2];
  }

  /// Whether software masks `vector`.
  public synchronized boolean masked(int vector) {
    return (words[entry(vector) + VECTOR_CONTROL] & MASKED) != 0;
  }

  /// Whether a message of `vector` waits for its mask to be cleared.
  public synchronized boolean pending(int vector) {
    entry(vector);
    return pending.get(vector);
  }

  /// Sets or clears the pending bit of `vector`.
  public synchronized void pending(int vector, boolean waits) {
    entry(vector);
    pending.set(vector, waits);
  }

  /// Calls `changed` after each write that may have cleared a mask, on the thread that wrote. One
  /// listener at a time: the next call replaces it.
  public synchronized void onMaskChange(Runnable changed) {
    listener = changed;
  }

  void maskChanged() {
    Runnable changed;
    synchronized (this) {
      changed = listener;
    }
    changed.run();
  }

  @Override
  protected synchronized int readDword(long offset) {
    if (offset < words.length * 4L) {
      return words[(int) (offset >>> 2)];
    }
    long first = 8 * (offset - pendingOffset());
    int bits = 0;
    for (int i = 0; i < Integer.SIZE && first >= 0 && first + i < vectors; i++) {
      bits |= pending.get((int) first + i) ? 1 << i : 0;
    }
    return bits;
  }

  /// Writes a part of an entry; the pending bits cannot be written.
  @Override
  protected void writeDword(long offset, int value) {
    if (offset >= words.length * 4L) {
      return;
    }
    synchronized (this) {
      writeWord((int) (offset >>> 2), value);
    }
    maskChanged();
  }

  private void writeWord(int word, int value) {
    words[word] =
        switch (word % ENTRY_WORDS) {
          case 0 -> value & ~3;
          case VECTOR_CONTROL -> value & MASKED;
          default -> value;
        };
  }

  private int entry(int vector) {
    return Objects.checkIndex(vector, vectors) * ENTRY_WORDS;
  }
}
