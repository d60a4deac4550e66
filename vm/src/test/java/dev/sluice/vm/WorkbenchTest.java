package dev.sluice.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.vm.kit.linux.GuestReport;
import dev.sluice.vm.kit.linux.GuestStage;
import dev.sluice.vm.kit.linux.Workload;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class WorkbenchTest {
  private static final Workload READS =
      new Workload("reads", Workload.Pattern.RANDOM_READ, 4096, 32);
  private static final String NUMBERS =
      "4000;0;0;2000;0;0;0;0;0;0;0;0;50.0%=10;99.0%=20;99.9%=30;" + "0;".repeat(17) + "0;0;12.5;0;";
  private static final String LINE =
      "3;fio-3.39;reads;0;0;" + NUMBERS + "0;".repeat(5) + "0;".repeat(41) + "end";

  private long commands;
  private final List<String> progress = new ArrayList<>();
  private final Workbench bench =
      new Workbench(
          List.of(READS),
          new BootListener() {
            @Override
            public void progress(double fraction, String detail) {
              progress.add(fraction + " " + detail);
            }
          },
          () -> new BenchReport.Work(commands, 1, 2, 3, 4, 5, 6, 7, 8));

  @Test
  void aResultHasRatesFromWhatWasMovedAndInterruptsFromTheGuest() {
    bench.fio(LINE);
    BenchReport.Result result =
        bench.result(READS, report(Map.of("reads-ios", "200", "reads-interrupts", "50"))).get();
    assertThat(result.iops()).isEqualTo(500);
    assertThat(result.bytesPerSecond()).isEqualTo(2_048_000);
    assertThat(result.meanMicros()).isEqualTo(12.5);
    assertThat(List.of(result.p50Micros(), result.p99Micros(), result.p999Micros()))
        .containsExactly(10.0, 20.0, 30.0);
    assertThat(result.interruptsPerIo()).isCloseTo(0.25, within(1e-9));
  }

  @Test
  void withoutALineOfFiosThereIsNoResult() {
    bench.fio("not a line of fio's");
    bench.fio(LINE.replace(";reads;", ";others;"));
    assertThat(bench.result(READS, report(Map.of()))).isEmpty();
  }

  @Test
  void theFirstLineCounts() {
    bench.fio(LINE);
    bench.fio(LINE.replace("12.5", "99.5"));
    assertThat(bench.result(READS, report(Map.of())).get().meanMicros()).isEqualTo(12.5);
  }

  @Test
  void countsThatAreNoNumbersCountAsNone() {
    bench.fio(LINE);
    Map<String, String> hostile = Map.of("reads-ios", "-1", "reads-interrupts", "9".repeat(40));
    assertThat(bench.result(READS, report(hostile)).get().interruptsPerIo()).isZero();
  }

  @Test
  void workIsWhatWasDoneBetweenTheStages() {
    commands = 100;
    bench.stage(new GuestStage("reads-began", 1));
    commands = 350;
    bench.stage(new GuestStage("reads-ended", 2));
    commands = 1000;
    bench.stage(new GuestStage("reads-ended", 3));
    assertThat(bench.work(READS)).contains(new BenchReport.Work(250, 0, 0, 0, 0, 0, 0, 0, 0));
    assertThat(progress).containsExactly("0.0 reads");
  }

  @Test
  void anEndWithoutABeginningIsNoWork() {
    bench.stage(new GuestStage("reads-ended", 2));
    bench.stage(new GuestStage("others-began", 2));
    assertThat(bench.work(READS)).isEmpty();
  }

  private static GuestReport report(Map<String, String> info) {
    return new GuestReport(info, List.of(), List.of(), List.of(), List.of(), true, List.of());
  }
}
