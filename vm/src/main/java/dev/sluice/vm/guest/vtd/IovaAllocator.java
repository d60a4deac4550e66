package dev.sluice.vm.guest.vtd;

import dev.sluice.vm.guest.machine.HardwareException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/// Hands out I/O virtual addresses of one domain as Linux does: from the top of the 32-bit space
/// downwards, aligned to their size, and a range that was given back is the first to be used again.
///
/// The last point is what makes a missing invalidation hurt: the next user of a range finds what
/// the device still remembers of the last one.
final class IovaAllocator {
  private static final int PAGE_SHIFT = 12;
  private static final long END_OF_32_BITS = 1L << 32;
  private static final long INTERRUPTS_FIRST = 0xFEE0_0000L;
  private static final long INTERRUPTS_END = 0xFEF0_0000L;

  private final Map<Integer, Deque<Long>> returned = new HashMap<>();
  private long lowest;

  /// @param addressWidth bits of an address that the hardware translates
  IovaAllocator(int addressWidth) {
    lowest = Math.min(END_OF_32_BITS, 1L << Math.min(addressWidth, 62));
  }

  /// A free range.
  ///
  /// @param order log2 of its pages
  /// @return its first address, a multiple of its size, never 0
  /// @throws HardwareException when no address is left
  long allocate(int order) throws HardwareException {
    Deque<Long> again = returned.get(order);
    if (again != null && !again.isEmpty()) {
      return again.pop();
    }
    long size = 1L << (PAGE_SHIFT + order);
    long at = (lowest - size) & -size;
    if (at < INTERRUPTS_END && at + size > INTERRUPTS_FIRST) {
      at = (INTERRUPTS_FIRST - size) & -size;
    }
    if (at <= 0) {
      throw new HardwareException("the guest has no I/O virtual address left");
    }
    lowest = at;
    return at;
  }

  /// Takes a range back. From now on it may be used again.
  void free(long iova, int order) {
    returned.computeIfAbsent(order, _ -> new ArrayDeque<>()).push(iova);
  }
}
