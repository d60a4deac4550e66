package dev.sluice.testkit.soak;

import dev.sluice.memory.Access;
import java.util.ArrayList;
import java.util.List;

/// A page of a device's address space, whose owner, the guest, puts one page of memory after the
/// other behind it. Each is a tenancy; they are numbered from 0.
///
/// The shadow's knowledge about it is two numbers. `latest` is raised before the guest changes a
/// table, `oldest` when it has seen the invalidation complete. So an access that reads `oldest`
/// before it begins and `latest` after its end was made in one of the tenancies in between, or it
/// is stale.
final class Slot {
  /// What its pages hold.
  enum Content {
    /// Guest's words, which devices overwrite.
    DATA,
    /// Counters, which devices add to.
    COUNTERS
  }

  /// How the guest changes its tenancies.
  enum Turnover {
    /// One by one, each with rights of its own.
    REMAPPED,
    /// With others at once; every second tenancy, the odd ones, is an absence.
    WITHDRAWN
  }

  private final int index;
  private final Content content;
  private final Turnover turnover;
  private final boolean[] writers = new boolean[2 * Stamp.CODES];
  private volatile int oldest;
  private volatile int latest;

  /// @param index among all slots, 0 to 63
  Slot(int index, Content content, Turnover turnover) {
    if (index >= Stamp.CODES) {
      throw new IllegalArgumentException("more than " + Stamp.CODES + " slots");
    }
    this.index = index;
    this.content = content;
    this.turnover = turnover;
    writers[code(Stamp.ofSlot(index))] = true;
  }

  int index() {
    return index;
  }

  Content content() {
    return content;
  }

  /// Lets a requester write through it. Before the soak begins.
  void addWriter(int requester) {
    writers[code(Stamp.ofRequester(requester))] = true;
  }

  private static int code(byte device) {
    return device & 0x7F;
  }

  // --- for the guest

  /// Announces the next tenancy, before a table is changed.
  ///
  /// @return its number
  int announce() {
    int next = latest + 1;
    latest = next;
    return next;
  }

  /// The invalidation is complete: the tenancies before the latest are over.
  void settle() {
    oldest = latest;
  }

  // --- for devices

  /// The first tenancy in which an access that begins now may be made.
  int oldest() {
    return oldest;
  }

  /// The last tenancy in which an access that has ended may have been made. Behind an acquire
  /// fence.
  int latest() {
    return latest;
  }

  // --- what is legal

  /// What the guest grants in a tenancy.
  Grant grant(int tenancy) {
    if (turnover == Turnover.WITHDRAWN) {
      return (tenancy & 1) == 0 ? Grant.READ_WRITE : Grant.NONE;
    }
    return switch ((int) (Stamp.base(index, tenancy) >>> 60)) {
      case 0, 1 -> Grant.NONE;
      case 2 -> Grant.READ;
      case 3 -> Grant.WRITE;
      default -> Grant.READ_WRITE;
    };
  }

  /// Whether some tenancy of the range allows an access.
  boolean mayAllow(int first, int last, Access access) {
    for (int tenancy = first; tenancy <= last; tenancy++) {
      if (grant(tenancy).allows(access)) {
        return true;
      }
    }
    return false;
  }

  /// Whether some tenancy of the range refuses an access.
  boolean mayRefuse(int first, int last, Access access) {
    for (int tenancy = first; tenancy <= last; tenancy++) {
      if (!grant(tenancy).allows(access)) {
        return true;
      }
    }
    return false;
  }

  /// The word that the guest puts into a fresh page.
  long fresh(int tenancy, int word) {
    long base = Stamp.base(index, tenancy);
    return content == Content.DATA ? Stamp.word(base, word) : Stamp.counter(base, word);
  }

  /// Whether bytes `from` to `to` of a word may be seen by a device that reads in one of the
  /// tenancies of the range.
  boolean mayRead(int first, int last, int word, long seen, int from, int to) {
    for (int tenancy = first; tenancy <= last; tenancy++) {
      if (grant(tenancy).allows(Access.READ) && isLegal(tenancy, word, seen, from, to)) {
        return true;
      }
    }
    return false;
  }

  /// Whether bytes `from`, inclusive, to `to`, exclusive, of a word may stand in a page in a
  /// tenancy.
  boolean isLegal(int tenancy, int word, long seen, int from, int to) {
    long fresh = fresh(tenancy, word);
    if (seen == fresh) {
      return true;
    }
    boolean writable = grant(tenancy).allows(Access.WRITE);
    for (int i = from; i < to; i++) {
      byte now = (byte) (seen >>> (8 * i));
      boolean legal = now == (byte) (fresh >>> (8 * i));
      if (content == Content.COUNTERS) {
        legal |= writable && i < Integer.BYTES;
      } else {
        legal |= writable && now < 0 && writers[code(now)];
      }
      if (!legal) {
        return false;
      }
    }
    return true;
  }

  /// Whether devices alone have written a word of a data page.
  boolean isWritten(long seen, int from, int to) {
    for (int i = from; i < to; i++) {
      if ((byte) (seen >>> (8 * i)) >= 0) {
        return false;
      }
    }
    return true;
  }

  /// What [#mayRead] allows, for a message.
  String allowed(int first, int last, int word) {
    List<String> tenancies = new ArrayList<>();
    for (int tenancy = first; tenancy <= last; tenancy++) {
      tenancies.add(
          "0x%016x (tenancy %d, %s)".formatted(fresh(tenancy, word), tenancy, grant(tenancy)));
    }
    return tenancies
        + (content == Content.COUNTERS
            ? " with any count below"
            : " with bytes of its devices over it");
  }

  @Override
  public String toString() {
    return "slot " + index + " (tenancies " + oldest + " to " + latest + " now)";
  }
}
