package dev.sluice.vm;

import dev.sluice.vm.kit.linux.FioLine;
import dev.sluice.vm.kit.linux.GuestReport;
import dev.sluice.vm.kit.linux.GuestReportReader;
import dev.sluice.vm.kit.linux.GuestStage;
import dev.sluice.vm.kit.linux.Workload;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Hears one guest of a benchmark: what fio measured, and what the machine did meanwhile.
///
/// A workload of that name is asked for or it is none: a guest can say what it likes.
final class Workbench implements GuestReportReader.Listener {
  private static final String BEGAN = "-began";
  private static final String ENDED = "-ended";

  private final List<Workload> workloads;
  private final BootListener listener;
  private final Supplier<BenchReport.@Nullable Work> counters;
  private final Map<String, BenchReport.Work> before = new LinkedHashMap<>();
  private final Map<String, BenchReport.Work> work = new LinkedHashMap<>();
  private final Map<String, FioLine> lines = new LinkedHashMap<>();

  /// @param listener told which workload runs
  /// @param counters what the machine has done so far, null for a machine that does not tell
  Workbench(
      List<Workload> workloads,
      BootListener listener,
      Supplier<BenchReport.@Nullable Work> counters) {
    this.workloads = workloads;
    this.listener = listener;
    this.counters = counters;
  }

  @Override
  public synchronized void stage(GuestStage stage) {
    BenchReport.Work now = counters.get();
    for (int i = 0; i < workloads.size(); i++) {
      String name = workloads.get(i).name();
      if (stage.name().equals(name + BEGAN)) {
        listener.progress((double) i / workloads.size(), name);
        if (now != null) {
          before.putIfAbsent(name, now);
        }
      } else if (stage.name().equals(name + ENDED)) {
        BenchReport.Work then = before.get(name);
        if (now != null && then != null) {
          work.putIfAbsent(name, now.since(then));
        }
      }
    }
  }

  @Override
  public synchronized void fio(String line) {
    for (Workload workload : workloads) {
      FioLine.parse(line, workload.pattern().reads())
          .filter(result -> result.job().equals(workload.name()))
          .ifPresent(result -> lines.putIfAbsent(workload.name(), result));
    }
  }

  /// What the guest measured in a workload.
  ///
  /// @param report of the guest
  synchronized Optional<BenchReport.Result> result(Workload workload, GuestReport report) {
    FioLine line = lines.get(workload.name());
    if (line == null) {
      return Optional.empty();
    }
    double bandwidth = line.bytes() / line.seconds();
    return Optional.of(
        new BenchReport.Result(
            bandwidth / workload.blockBytes(),
            bandwidth,
            line.meanMicros(),
            line.p50Micros(),
            line.p99Micros(),
            line.p999Micros(),
            number(report, workload.name() + "-interrupts")
                / Math.max(1, number(report, workload.name() + "-ios"))));
  }

  /// What the machine did in a workload, if it tells.
  synchronized Optional<BenchReport.Work> work(Workload workload) {
    return Optional.ofNullable(work.get(workload.name()));
  }

  private static double number(GuestReport report, String key) {
    String text = report.info().getOrDefault(key, "");
    return text.matches("[0-9]{1,15}") ? Double.parseDouble(text) : 0;
  }
}
