package dev.sluice.vm.replay;

import dev.sluice.vm.replay.ReplayReport.Lists;
import dev.sluice.vm.replay.ReplayReport.Mismatch;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The entries that the recording does not tell, until it does: those of lists, which are derived,
/// and those that a refused call may have entered.
///
/// A list is taken to be a run of pages. A translation that does not fit may mean that the list was
/// no run, or that the model is wrong: it is the former as long as nothing else has confirmed the
/// run, and the latter as soon as something does.
final class DerivedEntries {
  /// How many are remembered. An entry that was forgotten counts as recorded: the replay is then
  /// stricter with it, and a file cannot make it grow.
  static final int MAX = 1 << 16;

  /// @param liobn whose table
  /// @param ioba the page's bus address
  private record Entry(long liobn, long ioba) {}

  /// What the translations have said of one list so far.
  static final class Run {
    private final boolean ofList;
    private boolean confirmed;
    private @Nullable Mismatch suspect;

    Run() {
      this(true);
    }

    private Run(boolean ofList) {
      this.ofList = ofList;
    }
  }

  private final Map<Entry, Run> open = new LinkedHashMap<>();
  private long derived;
  private long confirmed;
  private long corrected;

  void derive(Run run, long liobn, long ioba) {
    derived++;
    open(run, liobn, ioba);
  }

  /// A call was refused when it had come to the end of a window. QEMU has entered what came before,
  /// LoPAR has nothing entered.
  ///
  /// @param end behind the last page that it may have entered
  /// @param pages how many there may be of those
  void mayBeEntered(long liobn, long end, long pages, int pageShift) {
    for (long page = 1; page <= Math.min(pages, MAX); page++) {
      open(new Run(false), liobn, end - (page << pageShift));
    }
  }

  private void open(Run run, long liobn, long ioba) {
    open.put(new Entry(liobn, ioba), run);
    if (open.size() > MAX) {
      Iterator<Entry> oldest = open.keySet().iterator();
      oldest.next();
      oldest.remove();
    }
  }

  /// Entries of known value have taken the place of what was there.
  ///
  /// @param last last bus address, inclusive
  void replaced(long liobn, long ioba, long last, int pageShift) {
    if (open.isEmpty()) {
      return;
    }
    long pages = ((last - ioba) >>> pageShift) + 1;
    if (pages > 0 && pages <= open.size()) {
      for (long page = 0; page < pages; page++) {
        open.remove(new Entry(liobn, ioba + (page << pageShift)));
      }
    } else {
      open.keySet()
          .removeIf(entry ->
              entry.liobn() == liobn
                  && Long.compareUnsigned(ioba, entry.ioba()) <= 0
                  && Long.compareUnsigned(entry.ioba(), last) <= 0);
    }
  }

  /// A translation came out as recorded.
  ///
  /// @return an earlier one that did not, now that the list is known to be a run; or null
  @Nullable Mismatch confirm(long liobn, long ioba) {
    Run run = open.isEmpty() ? null : open.remove(new Entry(liobn, ioba));
    if (run == null) {
      return null;
    }
    confirmed += run.ofList ? 1 : 0;
    run.confirmed = true;
    return run.suspect;
  }

  /// A translation did not come out as recorded.
  ///
  /// @return whether that may be because the entry was derived, and is to be entered by the
  ///   recording
  boolean correct(long liobn, long ioba, Mismatch mismatch) {
    Run run = open.remove(new Entry(liobn, ioba));
    if (run == null || run.confirmed) {
      return false;
    }
    corrected += run.ofList ? 1 : 0;
    run.suspect = run.suspect == null ? mismatch : run.suspect;
    return true;
  }

  Lists lists() {
    return new Lists(derived, confirmed, corrected);
  }
}
