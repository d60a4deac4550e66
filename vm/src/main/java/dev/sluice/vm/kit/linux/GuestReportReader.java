package dev.sluice.vm.kit.linux;

import dev.sluice.vm.check.GuestCheck;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads the report of a guest line by line while it arrives.
///
/// ```
/// SLUICE-INFO key=KEY value=TEXT
/// SLUICE-STAGE name=NAME uptime=SECONDS
/// SLUICE-PROGRESS done=BYTES total=BYTES
/// SLUICE-CHECK name=NAME passed=0|1 detail=TEXT
/// SLUICE-WROTE offset=BYTES bytes=BYTES sha256=HEX
/// SLUICE-FIO LINE-OF-FIO
/// SLUICE-LOG LINE-OF-DMESG
/// SLUICE-DONE checks=COUNT
/// ```
///
/// KEY and NAME are 1 to 40 lower-case letters, digits and hyphens; TEXT goes to the line's end.
/// Other lines are a problem of the report, except empty ones. Safe for use by one thread at a
/// time; [#report] may be called by any.
public final class GuestReportReader {
  /// Checks and written ranges kept; the guest's script has about a dozen of each.
  static final int MAX_CHECKS = 256;

  /// Facts and stages kept.
  static final int MAX_FACTS = 256;

  /// Lines of the kernel's log kept: a boot has about 500, a noisy one some thousands.
  static final int MAX_LOG_LINES = 20_000;

  /// Problems kept; one is enough to fail.
  static final int MAX_PROBLEMS = 16;

  private static final String NAME = "[a-z0-9-]{1,40}";
  private static final Pattern INFO = Pattern.compile("SLUICE-INFO key=(" + NAME + ") value=(.*)");
  private static final Pattern STAGE =
      Pattern.compile("SLUICE-STAGE name=(" + NAME + ") uptime=([0-9]{1,9}(?:\\.[0-9]{1,9})?)");
  private static final Pattern PROGRESS =
      Pattern.compile("SLUICE-PROGRESS done=([0-9]{1,18}) total=([0-9]{1,18})");
  private static final Pattern CHECK =
      Pattern.compile("SLUICE-CHECK name=(" + NAME + ") passed=([01]) detail=(.*)");
  private static final Pattern WROTE =
      Pattern.compile(
          "SLUICE-WROTE offset=([0-9]{1,18}) bytes=([0-9]{1,18}) sha256=([0-9a-f]{64})");
  private static final Pattern DONE = Pattern.compile("SLUICE-DONE checks=([0-9]{1,9})");
  private static final Pattern FIO = Pattern.compile("SLUICE-FIO (.*)");
  private static final String LOG = "SLUICE-LOG ";

  /// Sees the report grow, for a progress line.
  public interface Listener {
    /// The guest passed a point.
    default void stage(GuestStage stage) {}

    /// A check ended.
    default void check(GuestCheck check) {}

    /// A long read of the disk goes on.
    default void progress(long doneBytes, long totalBytes) {}

    /// fio ended.
    ///
    /// @param line in its terse format, for [FioLine] to read
    default void fio(String line) {}
  }

  private final Listener listener;
  private final LineSplitter splitter = new LineSplitter(this::line);
  private final Map<String, String> info = new LinkedHashMap<>();
  private final List<GuestStage> stages = new ArrayList<>();
  private final List<GuestCheck> checks = new ArrayList<>();
  private final List<WrittenRange> written = new ArrayList<>();
  private final List<String> log = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();
  private boolean finished;

  /// A reader that tells nobody.
  public GuestReportReader() {
    this(new Listener() {});
  }

  /// @param listener called in the thread that calls [#accept]
  public GuestReportReader(Listener listener) {
    this.listener = listener;
  }

  /// Takes the next `count` bytes of the serial line.
  public synchronized void accept(byte[] bytes, int count) {
    splitter.accept(bytes, count);
  }

  /// Whether the guest said that it is done.
  public synchronized boolean finished() {
    return finished;
  }

  /// What was reported so far.
  public synchronized GuestReport report() {
    return new GuestReport(info, stages, checks, written, log, finished, problems);
  }

  private void line(String line) {
    if (line.startsWith(LOG)) {
      add(log, line.substring(LOG.length()), MAX_LOG_LINES, "lines of the kernel's log");
      return;
    }
    boolean known =
        match(CHECK, line, this::check)
            || match(STAGE, line, this::stage)
            || match(PROGRESS, line, this::progress)
            || match(WROTE, line, this::wrote)
            || match(INFO, line, this::info)
            || match(FIO, line, fields -> listener.fio(fields.group(1)))
            || match(DONE, line, this::done);
    if (!known && !line.isBlank()) {
      problem("not a line of a report: " + line);
    }
  }

  private static boolean match(Pattern pattern, String line, Consumer<Matcher> action) {
    Matcher matcher = pattern.matcher(line);
    boolean matches = matcher.matches();
    if (matches) {
      action.accept(matcher);
    }
    return matches;
  }

  private void check(Matcher fields) {
    GuestCheck check =
        new GuestCheck(fields.group(1), fields.group(2).equals("1"), fields.group(3));
    if (finished) {
      problem("the check " + check.name() + " came after the end of the report");
    } else if (add(checks, check, MAX_CHECKS, "checks")) {
      listener.check(check);
    }
  }

  private void stage(Matcher fields) {
    GuestStage stage = new GuestStage(fields.group(1), Double.parseDouble(fields.group(2)));
    if (add(stages, stage, MAX_FACTS, "stages")) {
      listener.stage(stage);
    }
  }

  private void progress(Matcher fields) {
    listener.progress(Long.parseLong(fields.group(1)), Long.parseLong(fields.group(2)));
  }

  private void wrote(Matcher fields) {
    WrittenRange range =
        new WrittenRange(
            Long.parseLong(fields.group(1)), Long.parseLong(fields.group(2)), fields.group(3));
    add(written, range, MAX_CHECKS, "written ranges");
  }

  private void info(Matcher fields) {
    if (info.size() < MAX_FACTS) {
      info.putIfAbsent(fields.group(1), fields.group(2));
    } else {
      problem("more than " + MAX_FACTS + " facts");
    }
  }

  private void done(Matcher fields) {
    int declared = Integer.parseInt(fields.group(1));
    if (declared == checks.size()) {
      finished = true;
    } else {
      problem("the guest ran " + declared + " checks, " + checks.size() + " arrived");
    }
  }

  private <T> boolean add(List<T> list, T element, int cap, String what) {
    if (list.size() < cap) {
      return list.add(element);
    }
    problem("more than " + cap + " " + what);
    return false;
  }

  private void problem(String text) {
    if (problems.size() < MAX_PROBLEMS && !problems.contains(text)) {
      problems.add(text);
    }
  }
}
