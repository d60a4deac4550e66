package dev.sluice.testkit.soak;

import dev.sluice.dma.TargetAbort;
import dev.sluice.iommu.AbortReason;
import dev.sluice.memory.Access;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/// One access as the shadow sees it: in which tenancies each page of it may have been made, and so
/// what it may have met. Owned and reused by one thread, or handed over with a mapping.
///
/// What was read is laid so that a word of memory is a word of the buffer: the byte at an I/O
/// virtual address stands as far from the start as it is from that of the first page.
final class AccessWindow {
  /// The most pages of one access.
  static final int PAGES = 5;

  /// Bytes of a buffer for the longest access.
  static final int BUFFER = PAGES * Stamp.PAGE;

  private static final ValueLayout.OfLong WORD =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final int[] oldest = new int[PAGES];
  private final int[] latest = new int[PAGES];
  private @Nullable Requester requester;
  private @Nullable SlotRun run;
  private String what = "";
  private int firstPage;
  private int from;
  private int length;

  /// Begins the window, before the access begins.
  ///
  /// @param offset first byte, from the start of the run
  /// @param bytes 1 or more
  void open(Requester by, SlotRun at, int offset, int bytes, String name) {
    requester = by;
    run = at;
    what = name;
    firstPage = offset / Stamp.PAGE;
    from = offset % Stamp.PAGE;
    length = bytes;
    for (int i = 0; i < pages(); i++) {
      oldest[i] = slot(i).oldest();
    }
  }

  /// Ends it, after the access has ended.
  void close() {
    // What the access read, it read before the tenancies are looked at.
    VarHandle.acquireFence();
    for (int i = 0; i < pages(); i++) {
      latest[i] = slot(i).latest();
    }
  }

  /// A mapping has fewer bytes than were asked for.
  void shorten(long bytes) {
    length = (int) bytes;
  }

  private SlotRun run() {
    if (run == null) {
      throw new IllegalStateException("no access");
    }
    return run;
  }

  private Slot slot(int page) {
    return run().slots().get(firstPage + page);
  }

  private int pages() {
    return (from + length + Stamp.PAGE - 1) / Stamp.PAGE;
  }

  int length() {
    return length;
  }

  /// Where the first byte of the access stands in a buffer.
  int start() {
    return from;
  }

  long iova() {
    return run().iova() + (long) firstPage * Stamp.PAGE + from;
  }

  boolean counters() {
    return run().counters();
  }

  /// Whether every page was in one tenancy, all the time from the opening to the closing.
  boolean still() {
    for (int i = 0; i < pages(); i++) {
      if (oldest[i] != latest[i]) {
        return false;
      }
    }
    return true;
  }

  /// Whether the guest has begun to take some page away since the window was opened.
  boolean isOver() {
    for (int i = 0; i < pages(); i++) {
      if (slot(i).latest() != oldest[i]) {
        return true;
      }
    }
    return false;
  }

  // --- what may have happened

  /// Checks an access that was allowed as a whole, or refused somewhere.
  ///
  /// @return whether it was allowed
  boolean judge(@Nullable TargetAbort abort, Access access) {
    if (abort == null) {
      checkAllowed(length, access);
      return true;
    }
    checkAllowed((int) abort.bytesMoved(), access);
    checkRefused((int) abort.bytesMoved(), abort, access);
    return false;
  }

  /// The first `bytes` bytes were accessed.
  void checkAllowed(int bytes, Access access) {
    int end = bytes == 0 ? 0 : (from + bytes + Stamp.PAGE - 1) / Stamp.PAGE;
    for (int i = 0; i < end; i++) {
      if (!slot(i).mayAllow(oldest[i], latest[i], access)) {
        throw failure(
            i, "a forbidden %s of %d bytes went through; ".formatted(access, bytes) + grants(i));
      }
    }
  }

  private void checkRefused(int bytes, TargetAbort abort, Access access) {
    int page = (from + bytes) / Stamp.PAGE;
    if (abort.reason() == AbortReason.BAD_TABLE
        || abort.reason() == AbortReason.BUS_MASTER_OFF
        || !slot(page).mayRefuse(oldest[page], latest[page], access)) {
      throw failure(page, "a legal access was refused: " + abort + "; " + grants(page));
    }
  }

  /// Checks bytes that were read.
  ///
  /// @param skip the first of them, counted from the start of the access
  void checkRead(MemorySegment buffer, int skip, int bytes) {
    int end = from + skip + bytes;
    for (int at = from + skip; at < end; ) {
      int word = at & -Long.BYTES;
      int high = Math.min(end - word, Long.BYTES);
      checkWord(word, buffer.get(WORD, word), at - word, high);
      at = word + high;
    }
  }

  /// Checks that the bytes of a buffer of zeros behind those that were read show nothing that the
  /// device may not see.
  void checkNotMoved(MemorySegment buffer, int moved) {
    for (int skip = moved; skip < length; skip++) {
      byte seen = buffer.get(ValueLayout.JAVA_BYTE, from + skip);
      if (seen != 0) {
        checkScalar(skip, seen & 0xFF, 1);
      }
    }
  }

  /// Checks bytes that were read to any place of a buffer, one behind the other.
  ///
  /// @param bytes the first so many of the access
  void checkPacked(MemorySegment buffer, int at, int bytes) {
    for (int done = 0; done < bytes; done += Long.BYTES) {
      checkScalar(done, buffer.get(WORD, at + done), Math.min(bytes - done, Long.BYTES));
    }
  }

  /// Checks a scalar that was read.
  ///
  /// @param skip its first byte, counted from the start of the access
  /// @param value little endian, in its low bytes
  void checkScalar(int skip, long value, int bytes) {
    int at = from + skip;
    int low = at % Long.BYTES;
    int inFirst = Math.min(Long.BYTES - low, bytes);
    checkWord(at - low, value << (8 * low), low, low + inFirst);
    if (inFirst < bytes) {
      checkWord(at + inFirst, value >>> (8 * inFirst), 0, bytes - inFirst);
    }
  }

  private void checkWord(int word, long seen, int low, int high) {
    int page = word / Stamp.PAGE;
    int index = word % Stamp.PAGE / Long.BYTES;
    if (!slot(page).mayRead(oldest[page], latest[page], index, seen, low, high)) {
      throw failure(
          page,
          "stale or foreign bytes: saw 0x%016x (bytes %d to %d of it) at byte %d of the page; allowed: %s"
              .formatted(
                  seen,
                  low,
                  high - 1,
                  index * 8,
                  slot(page).allowed(oldest[page], latest[page], index)));
    }
  }

  /// Checks that what was written, and read again in the same tenancy, is there.
  void checkWritten(MemorySegment buffer) {
    int at = from;
    while (at < from + length) {
      int word = at & -Long.BYTES;
      int high = Math.min(from + length - word, Long.BYTES);
      long seen = buffer.get(WORD, word);
      if (!slot(at / Stamp.PAGE).isWritten(seen, at - word, high)) {
        throw failure(
            at / Stamp.PAGE,
            "a lost write: 0x%016x at byte %d of the page, which a device has just written"
                .formatted(seen, word % Stamp.PAGE));
      }
      at = word + high;
    }
  }

  /// Lays a device's bytes out, as they are to be written.
  void compose(MemorySegment buffer) {
    int at = from & -Long.BYTES;
    int index = requester().index();
    while (at < from + length) {
      buffer.set(WORD, at, Stamp.ofDevice(index, slot(at / Stamp.PAGE).index()));
      at += Long.BYTES;
    }
  }

  /// A device's bytes, little endian, for a scalar in one page or across two.
  ///
  /// @param skip its first byte, counted from the start of the access
  long deviceScalar(int skip, int bytes) {
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      int at = from + skip + i;
      long word = Stamp.ofDevice(requester().index(), slot(at / Stamp.PAGE).index());
      value |= (word >>> (8 * (at % Long.BYTES)) & 0xFF) << (8 * i);
    }
    return value;
  }

  private Requester requester() {
    if (requester == null) {
      throw new IllegalStateException("no access");
    }
    return requester;
  }

  // --- messages

  private String grants(int page) {
    StringBuilder text = new StringBuilder("granted in its time:");
    for (int tenancy = oldest[page]; tenancy <= latest[page]; tenancy++) {
      text.append(" tenancy ").append(tenancy).append(' ').append(slot(page).grant(tenancy));
    }
    return text.toString();
  }

  SoakFailure failure(int page, String text) {
    return new SoakFailure(
        "%s by %s of %d bytes at iova 0x%x, in page 0x%x, %s: %s"
            .formatted(
                what,
                requester(),
                length,
                iova(),
                run().iova() + (firstPage + page) * (long) Stamp.PAGE,
                slot(page),
                text));
  }
}
