package dev.sluice.bench;

import static dev.sluice.bench.Statistic.MEDIAN;
import static dev.sluice.bench.Statistic.PERCENTILE_99;

import dev.sluice.bench.Comparison.Alone;
import dev.sluice.bench.Comparison.Scaling;
import dev.sluice.bench.Comparison.WithC;
import dev.sluice.bench.Comparison.WithRow;
import dev.sluice.bench.Target.AtLeast;
import dev.sluice.bench.Target.AtMost;
import dev.sluice.bench.Target.Within;
import dev.sluice.bench.jmh.HypercallBenchmark;
import dev.sluice.bench.jmh.InvalidationBenchmark;
import dev.sluice.bench.jmh.Operations;
import dev.sluice.bench.jmh.PageKind;
import java.util.ArrayList;
import java.util.List;

/// The table: what is measured, beside what, and what should come of it.
///
/// 64 pages go round unless a row says otherwise. What wide addresses and large pages may cost is
/// 1.5 times the same with 4 KiB pages below 2^48.
final class Plan {
  private static final int LINE = 64;
  private static final int PAGE = 4096;
  private static final int CHUNK = 64 << 10;
  private static final int MEGABYTE = 1 << 20;
  private static final int HOT = 64;
  private static final int[] PAGE_COUNTS = {1, HOT, 4096};
  private static final AtMost OF_OTHER_PAGES = new AtMost(1.5);
  private static final CRow ATOMIC_PAIR =
      CRow.of("atomic-pair", 1, "C: atomic increment and decrement");

  private final List<Measurement> rows = new ArrayList<>();

  private Plan() {
    translations();
    accesses();
    copies();
    mappings();
    invalidations();
    misses();
    hypercalls();
  }

  /// The rows in the table's order.
  static List<Measurement> rows() {
    return List.copyOf(new Plan().rows);
  }

  private void add(String name, Job job, Comparison... comparisons) {
    rows.add(Measurement.of(name, job, comparisons));
  }

  private static Job job(String benchmark) {
    return Job.of(benchmark, Operations.ofRound(LINE));
  }

  private static Job moving(String benchmark, int bytes) {
    return Job.of(benchmark, Operations.ofRound(bytes)).with("bytes", bytes);
  }

  private static String pages(int count) {
    return count == 1 ? "1 page" : count + " pages";
  }

  private static String size(int bytes) {
    return bytes < 1024 ? bytes + " B" : bytes < MEGABYTE ? bytes / 1024 + " KiB" : "1 MiB";
  }

  private void translations() {
    Job hit = job("TranslationBenchmark.hit");
    String name = "translation hit, ";
    for (int count : PAGE_COUNTS) {
      List<Comparison> comparisons = new ArrayList<>();
      comparisons.add(
          new WithC(CRow.of("hit", count, "C: look-up, " + pages(count)), new AtMost(1.5)));
      if (count > HOT) {
        comparisons.add(new WithRow(name + pages(1), new AtMost(1.1)));
      }
      add(name + pages(count), hit.with("pages", count), comparisons.toArray(Comparison[]::new));
    }
    for (int count : PAGE_COUNTS) {
      add(
          "translation hit, dependent, " + pages(count),
          job("TranslationBenchmark.hitLatency").with("pages", count),
          new WithC(
              CRow.of("hit-latency", count, "C: look-up, dependent, " + pages(count)),
              new AtMost(1.1)));
    }
    add(
        "translation hit, two threads, one device",
        hit.onThreads(2),
        new Scaling(name + pages(HOT), new AtLeast(1.95)),
        new WithC(CRow.of("hit-two-threads", HOT, "C: look-up, two threads"), null));
    add(
        "translation hit, two threads, two devices",
        hit.onThreads(2).with("shared", false),
        new Scaling(name + pages(HOT), new AtLeast(1.95)));
    add(
        "translation hit, above 2^48",
        hit.with("kind", PageKind.WIDE),
        new WithRow(name + pages(HOT), OF_OTHER_PAGES));
    add(
        "translation hit, with a PASID",
        hit.with("kind", PageKind.PASID),
        new WithRow(name + pages(HOT), OF_OTHER_PAGES));
    add(
        "translation hit, 2 MiB pages",
        hit.with("kind", PageKind.LARGE),
        new WithRow(name + pages(HOT), OF_OTHER_PAGES));
  }

  private void accesses() {
    Job load = job("AccessBenchmark.load");
    String direct = "load 8 B, no IOMMU";
    add(direct, load.with("kind", PageKind.DIRECT), new Alone(null));
    add("load 8 B", load, new WithRow(direct, null));

    // What is left below the rows that follow, whatever Sluice does.
    String line = "C: look-up + memcpy 64 B, " + pages(HOT);
    add(
        "bare copy of 64 B in, Java",
        moving("CopyBenchmark.read", LINE),
        new WithC(new CRow("read", HOT, LINE, line), null));
    add(
        "a fence and nothing else",
        job("FenceBenchmark.enterAndLeave"),
        new WithC(ATOMIC_PAIR, null));

    Job read = moving("AccessBenchmark.read", LINE);
    for (int count : PAGE_COUNTS) {
      add(
          "read 64 B, " + pages(count),
          read.with("pages", count),
          new WithC(
              new CRow("read", count, LINE, "C: look-up + memcpy 64 B, " + pages(count)),
              new AtMost(2.75)));
    }
    String hot = "read 64 B, " + pages(HOT);
    add("read 64 B, above 2^48", read.with("kind", PageKind.WIDE), same(hot));
    add("read 64 B, with a PASID", read.with("kind", PageKind.PASID), same(hot));
    add("read 64 B, 2 MiB pages", read.with("kind", PageKind.LARGE), same(hot));
    add(
        "read 64 B, three kinds of IOMMU in use",
        read.with("severalKinds", true),
        new WithRow(hot, new AtMost(1.1)));

    Job write = moving("AccessBenchmark.write", LINE);
    String written = "write 64 B, tracked";
    add(
        written,
        write,
        new WithC(ATOMIC_PAIR, new AtMost(1)),
        new WithC(new CRow("write", HOT, LINE, "C: look-up + memcpy 64 B out"), null));
    add("write 64 B, above 2^48", write.with("kind", PageKind.WIDE), same(written));
    add("write 64 B, 2 MiB pages", write.with("kind", PageKind.LARGE), same(written));
  }

  private static Comparison same(String row) {
    return new WithRow(row, OF_OTHER_PAGES);
  }

  private void copies() {
    CRow inPage = new CRow("read", HOT, PAGE, "C: look-up + memcpy 4 KiB");
    add("bare copy of 4 KiB in, Java", moving("CopyBenchmark.read", PAGE), new WithC(inPage, null));
    add(
        "bare copy of 4 KiB out, Java",
        moving("CopyBenchmark.write", PAGE),
        new WithC(new CRow("zero", HOT, PAGE, "C: memset 4 KiB"), null));
    add("read 4 KiB", moving("AccessBenchmark.read", PAGE), new WithC(inPage, new AtMost(0.7)));
    add(
        "zero 4 KiB",
        moving("AccessBenchmark.zero", PAGE),
        new WithC(new CRow("zero", HOT, PAGE, "C: memset 4 KiB"), new AtMost(0.65)));
    for (int bytes : new int[] {CHUNK, MEGABYTE}) {
      for (String way : new String[] {"read", "write"}) {
        String bare = "bare copy of " + size(bytes) + (way.equals("read") ? " in" : " out");
        String inC = way.equals("read") ? "copy-in" : "copy-out";
        add(bare + ", Java", moving("CopyBenchmark." + way, bytes), new Alone(null));
        add(
            way + " " + size(bytes),
            moving("AccessBenchmark." + way, bytes),
            new WithRow(bare + ", Java", new AtMost(1.15)),
            new WithC(new CRow(inC, HOT, bytes, "C: memcpy " + size(bytes)), new AtMost(1.15)),
            new WithC(new CRow(way, HOT, bytes, "C: look-up + memcpy " + size(bytes)), null));
      }
    }
  }

  private void mappings() {
    Job map = job("MappingBenchmark.mapAndUnmap");
    AtMost target = new AtMost(0.75);
    for (int count : PAGE_COUNTS) {
      add("map + unmap, " + pages(count), map.with("pages", count), new WithC(ATOMIC_PAIR, target));
    }
    add("map + unmap, 10,000 live", map.with("live", 10_000), new WithC(ATOMIC_PAIR, target));
    String hot = "map + unmap, " + pages(HOT);
    add(
        "map + unmap, two threads, one device",
        map.onThreads(2),
        new WithRow(hot, new AtMost(1.1)));
    add(
        "map + unmap, two threads, two devices",
        map.onThreads(2).with("shared", false),
        new WithRow(hot, new AtMost(1.1)));
    add("map + unmap, above 2^48", map.with("kind", PageKind.WIDE), same(hot));
    add("map + unmap, 2 MiB pages", map.with("kind", PageKind.LARGE), same(hot));
    add(
        "bounce mapping of 64 KiB, 1 byte written",
        moving("MappingBenchmark.bounce", CHUNK),
        new WithRow("read " + size(CHUNK), null));
  }

  private void invalidations() {
    sampled(
        "invalidate a page, 32 idle devices, 4096 cached",
        Job.of("InvalidationBenchmark.page", InvalidationBenchmark.PAGES_OF_A_ROUND)
            .with("pages", 4096)
            .with("idleDevices", 32),
        MEDIAN,
        new Within(50));
    Job busy = Job.of("InvalidationBenchmark.pageUnderLoad", 1).with("idleDevices", 32);
    sampled("the same under DMA flat out, p50", busy, MEDIAN, new Within(200));
    sampled("the same under DMA flat out, p99", busy, PERCENTILE_99, new Within(400));
    sampled(
        "invalidate everything, 4096 cached",
        Job.of("InvalidationBenchmark.everything", 1).with("idleDevices", 32),
        MEDIAN,
        new Within(300));
  }

  private void sampled(String name, Job job, Statistic statistic, Within target) {
    rows.add(Measurement.of(name, job, statistic, new Alone(target)));
  }

  private void misses() {
    WithC walk = new WithC(CRow.of("walk", HOT, "C: walk of 4 levels"), new AtMost(1.5));
    WithC dependent =
        new WithC(CRow.of("walk-latency", HOT, "C: walk of 4 levels, dependent"), new AtMost(1));
    String all = "walk of 4 levels";
    add(all, job("TranslationBenchmark.walkFromTop"), walk);
    add(all + ", dependent", job("TranslationBenchmark.walkFromTopLatency"), dependent);
    add("walk by a known table", job("TranslationBenchmark.walk"), new WithRow(all, null));
    add(
        "walk by a known table, dependent",
        job("TranslationBenchmark.walkLatency"),
        new WithRow(all + ", dependent", null));
    add("miss: walked and kept", job("TranslationBenchmark.miss"), walk);
    add("miss: walked and kept, dependent", job("TranslationBenchmark.missLatency"), dependent);
    add("load 8 B, missed", job("AccessBenchmark.loadMissed"), new WithRow("load 8 B", null));
  }

  private void hypercalls() {
    String fast = "H_PUT_TCE, entry not in use";
    add(fast, job("HypercallBenchmark.putUnused"), new Alone(null));
    rows.add(
        Measurement.of(
            "H_PUT_TCE, entry in use",
            Job.of("HypercallBenchmark.putUsed", HypercallBenchmark.ENTRIES_OF_A_ROUND),
            MEDIAN,
            new WithRow(fast, null)));
    add(
        "H_STUFF_TCE of 512, not in use",
        Job.of("HypercallBenchmark.stuff", 1),
        new WithRow(fast, null));
    add(
        "H_PUT_TCE_INDIRECT of 512, not in use",
        Job.of("HypercallBenchmark.putIndirect", 1),
        new WithRow(fast, null));
    String idle = "map, unmap, H_PUT_TCE";
    add(idle, Job.of("HypercallBenchmark.mapThenPut", 1), new Alone(null));
    add(
        "map, H_PUT_TCE halts, unmap resumes",
        Job.of("HypercallBenchmark.mapAndPut", 1),
        new WithRow(idle, null));
  }
}
