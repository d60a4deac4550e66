package dev.sluice.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// Loads and stores of 1, 2, 4 and 8 bytes in host memory, in either byte order.
///
/// An access that is aligned in host memory is one access of the processor; a load has acquire
/// order and a store release order: a device that sees a ring's new index sees the entries written
/// before it. The order is made by fences, so that an access is one instruction whatever its
/// alignment.
///
/// Where somebody has shortened the file behind the bytes, touching them is an [InternalError],
/// except in the JDK's interpreted compare-and-exchange, where it ends the process (JDK 25:
/// `Unsafe_CompareAndExchangeInt` and `-Long` lack the guard that loads and stores have). So the
/// atomic operations are for [lasting memory][RamRegion#hasAtomics].
final class Scalars {
  private static final VarHandle INT =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.nativeOrder()).varHandle();
  private static final VarHandle LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.nativeOrder()).varHandle();

  private static final VarHandle BYTE = ValueLayout.JAVA_BYTE.varHandle();

  private Scalars() {}

  /// Loads a byte for the processor's caches only. Opaque, or the compiler would leave it out.
  static void touch(MemorySegment memory, long offset) {
    byte _ = (byte) BYTE.getOpaque(memory, offset);
  }

  static boolean isAligned(MemorySegment memory, long offset, int bytes) {
    return ((memory.address() + offset) & (bytes - 1)) == 0;
  }

  static long load(MemorySegment memory, long offset, int bytes, ByteOrder order) {
    long loaded =
        switch (bytes) {
          case 1 -> memory.get(ValueLayout.JAVA_BYTE, offset);
          case 2 -> memory.get(ValueLayout.JAVA_SHORT_UNALIGNED, offset);
          case 4 -> memory.get(ValueLayout.JAVA_INT_UNALIGNED, offset);
          case 8 -> memory.get(ValueLayout.JAVA_LONG_UNALIGNED, offset);
          default -> throw wrongSize(bytes);
        };
    VarHandle.acquireFence();
    return inOrder(loaded, bytes, order);
  }

  static void store(MemorySegment memory, long offset, int bytes, ByteOrder order, long value) {
    long ordered = inOrder(value, bytes, order);
    VarHandle.releaseFence();
    switch (bytes) {
      case 1 -> memory.set(ValueLayout.JAVA_BYTE, offset, (byte) ordered);
      case 2 -> memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, offset, (short) ordered);
      case 4 -> memory.set(ValueLayout.JAVA_INT_UNALIGNED, offset, (int) ordered);
      case 8 -> memory.set(ValueLayout.JAVA_LONG_UNALIGNED, offset, ordered);
      default -> throw wrongSize(bytes);
    }
  }

  static long compareAndExchange(
      MemorySegment memory, long offset, int bytes, ByteOrder order, long expected, long desired) {
    // A page that the host has no memory for shows here, as an exception. An addition needs no
    // load: the interpreter makes one there by itself.
    load(memory, offset, bytes, order);
    long from = inOrder(expected, bytes, order);
    long to = inOrder(desired, bytes, order);
    long seen =
        bytes == 4
            ? (int) INT.compareAndExchange(memory, offset, (int) from, (int) to)
            : (long) LONG.compareAndExchange(memory, offset, from, to);
    return inOrder(seen, bytes, order);
  }

  static long fetchAndAdd(
      MemorySegment memory, long offset, int bytes, ByteOrder order, long addend) {
    if (order == ByteOrder.nativeOrder()) {
      return bytes == 4
          ? Integer.toUnsignedLong((int) INT.getAndAdd(memory, offset, (int) addend))
          : (long) LONG.getAndAdd(memory, offset, addend);
    }
    // The processor adds in its own order only.
    for (; ; ) {
      long before = load(memory, offset, bytes, order);
      if (compareAndExchange(memory, offset, bytes, order, before, before + addend) == before) {
        return before;
      }
    }
  }

  /// The value with its bytes swapped if `order` is not the host's, zero-extended from `bytes`. Its
  /// own inverse.
  static long inOrder(long value, int bytes, ByteOrder order) {
    boolean swap = order != ByteOrder.nativeOrder();
    return switch (bytes) {
      case 1 -> value & 0xFF;
      case 2 -> Short.toUnsignedLong(swap ? Short.reverseBytes((short) value) : (short) value);
      case 4 -> Integer.toUnsignedLong(swap ? Integer.reverseBytes((int) value) : (int) value);
      case 8 -> swap ? Long.reverseBytes(value) : value;
      default -> throw wrongSize(bytes);
    };
  }

  private static IllegalArgumentException wrongSize(int bytes) {
    return new IllegalArgumentException("a load or store has 1, 2, 4 or 8 bytes, not " + bytes);
  }
}
