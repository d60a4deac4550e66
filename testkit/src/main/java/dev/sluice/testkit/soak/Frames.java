package dev.sluice.testkit.soak;

/// Guest's work on whole pages of memory: fill one for an owner, and look at what became of it.
///
/// A page that no device may reach belongs to its frame, with tenancies of the frame's own.
final class Frames {
  /// Owners from here on are frames, by their page number.
  private static final int FIRST_FRAME = Stamp.CODES;

  private final SoakMemory memory;

  Frames(SoakMemory memory) {
    this.memory = memory;
  }

  /// Fills a page for a tenancy of a slot, before devices may reach it.
  void furnish(long frame, Slot slot, int tenancy) {
    for (int word = 0; word < Stamp.WORDS; word++) {
      memory.poke(frame + word * 8L, slot.fresh(tenancy, word));
    }
  }

  /// Looks at a page after a tenancy, when devices cannot reach it any more.
  ///
  /// @return the sum of the counters in it
  long inspect(long frame, Slot slot, int tenancy) {
    long sum = 0;
    for (int word = 0; word < Stamp.WORDS; word++) {
      long seen = memory.peek(frame + word * 8L);
      if (!slot.isLegal(tenancy, word, seen, 0, Long.BYTES)) {
        throw new SoakFailure(
            "stale or forbidden write: after tenancy %d (%s) of %s, frame 0x%x has 0x%016x at byte %d; allowed: %s"
                .formatted(
                    tenancy,
                    slot.grant(tenancy),
                    slot,
                    frame,
                    seen,
                    word * 8,
                    slot.allowed(tenancy, tenancy, word)));
      }
      sum += seen & 0xFFFF_FFFFL;
    }
    return slot.content() == Slot.Content.COUNTERS ? sum : 0;
  }

  /// Fills a page that no device may reach.
  ///
  /// @param tenancy of the frame
  void seal(long frame, int tenancy) {
    long base = Stamp.base(owner(frame), tenancy);
    for (int word = 0; word < Stamp.WORDS; word++) {
      memory.poke(frame + word * 8L, Stamp.word(base, word));
    }
  }

  /// Checks that nobody has touched a page since it was sealed.
  void checkSeal(long frame, int tenancy) {
    long base = Stamp.base(owner(frame), tenancy);
    for (int word = 0; word < Stamp.WORDS; word++) {
      long seen = memory.peek(frame + word * 8L);
      if (seen != Stamp.word(base, word)) {
        throw new SoakFailure(
            "stale write: frame 0x%x, which no device may reach, has 0x%016x at byte %d; allowed: 0x%016x alone"
                .formatted(frame, seen, word * 8, Stamp.word(base, word)));
      }
    }
  }

  private static int owner(long frame) {
    return FIRST_FRAME + (int) (frame / Stamp.PAGE);
  }
}
