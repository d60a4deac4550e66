package dev.sluice.testkit.soak;

import java.util.List;

/// Slots that are neighbours in a requester's address space, all of one content.
///
/// @param iova I/O virtual address of the first
/// @param slots in the order of their addresses
record SlotRun(long iova, List<Slot> slots) {
  SlotRun {
    slots = List.copyOf(slots);
  }

  /// Bytes of the run.
  int bytes() {
    return slots.size() * Stamp.PAGE;
  }

  /// Whether its pages hold counters.
  boolean counters() {
    return slots.getFirst().content() == Slot.Content.COUNTERS;
  }
}
