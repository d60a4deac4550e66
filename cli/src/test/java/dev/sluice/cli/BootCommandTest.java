package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.vm.BenchOptions;
import dev.sluice.vm.BootException;
import dev.sluice.vm.BootListener;
import dev.sluice.vm.BootOptions;
import dev.sluice.vm.BootReport;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class BootCommandTest {
  @TempDir private Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private Booter booter = (_, _) -> SampleReports.passed();
  private @Nullable BootOptions booted;
  private Bencher bencher = (_, _) -> SampleReports.measured();
  private @Nullable BenchOptions measured;

  // --- options ---------------------------------------------------------------------------------

  @Test
  void withoutOptionsBootsTheDefaults() {
    assertThat(boot()).isZero();
    assertThat(booted).isEqualTo(BootOptions.defaults());
  }

  @Test
  void everyOptionReachesTheBoot() {
    int status =
        boot(
            "--guest=qemu",
            "--iommu=none",
            "--invalidation=lazy",
            "--disk=d.img",
            "--kernel=vmlinuz",
            "--initrd=initrd.img",
            "--append=loglevel=7  quiet",
            "--append=debug",
            "--memory=2G",
            "--accel=kvm",
            "--interactive",
            "--offline",
            "--timeout=90s",
            "--verbose");
    assertThat(status).isZero();
    assertThat(booted)
        .isEqualTo(
            new BootOptions(
                BootOptions.Guest.QEMU,
                BootOptions.IommuKind.NONE,
                BootOptions.Invalidation.LAZY,
                Optional.of(Path.of("d.img")),
                Optional.of(Path.of("vmlinuz")),
                Optional.of(Path.of("initrd.img")),
                List.of("loglevel=7", "quiet", "debug"),
                2048,
                BootOptions.Accelerator.KVM,
                true,
                true,
                Duration.ofSeconds(90)));
  }

  @Test
  void theInProcessGuestIsChosenByItsName() {
    assertThat(boot("--guest", "in-process")).isZero();
    assertThat(options().guest()).isEqualTo(BootOptions.Guest.IN_PROCESS);
  }

  @ParameterizedTest
  @CsvSource({"256, 256", "512, 512", "512M, 512", "512m, 512", "1G, 1024", "64g, 65536"})
  void memoryIsInMebibytesOrHasAUnit(String text, int mebibytes) {
    assertThat(boot("--memory", text)).isZero();
    assertThat(options().memoryMib()).isEqualTo(mebibytes);
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "90, 90", "90s, 90", "3m, 180", "1h, 3600", "24h, 86400"})
  void aTimeIsInSecondsOrHasAUnit(String text, long seconds) {
    assertThat(boot("--timeout", text)).isZero();
    assertThat(options().patience()).isEqualTo(Duration.ofSeconds(seconds));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          --guest=windows         | 'windows' is not qemu or in-process
          --guest=QEMU            | 'QEMU' is not qemu or in-process
          --iommu=amdvi           | 'amdvi' is not vtd or none
          --invalidation=relaxed  | 'relaxed' is not strict or lazy
          --accel=hvf             | 'hvf' is not tcg or kvm
          --memory=255            | '255' is not a size from 256M to 64G
          --memory=65G            | '65G' is not a size from 256M to 64G
          --memory=1T             | '1T' is not a size from 256M to 64G
          --memory=               | is not a size from 256M to 64G
          --memory=-512           | '-512' is not a size from 256M to 64G
          --memory=9999999999     | '9999999999' is not a size from 256M to 64G
          --timeout=0             | '0' is not a time from 1s to 24h
          --timeout=25h           | '25h' is not a time from 1s to 24h
          --timeout=soon          | 'soon' is not a time from 1s to 24h
          --disk                  | Missing required parameter for option '--disk'
          --levitate              | Unknown option: '--levitate'
          stray                   | Unmatched argument at index 1: 'stray'
          """)
  void aWrongValueIsAUsageErrorThatSaysWhatIsRight(String argument, String message) {
    assertThat(boot(argument)).isEqualTo(2);
    assertThat(err.toString()).contains(message, "Try 'sluice boot --help'.");
    assertThat(booted).isNull();
  }

  @Test
  void anOptionGivenTwiceIsAUsageError() {
    assertThat(boot("--disk=a", "--disk=b")).isEqualTo(2);
    assertThat(err.toString()).contains("'--disk' (FILE) should be specified only once");
  }

  @ParameterizedTest
  @ValueSource(strings = {"--kernel=k", "--initrd=i", "--append=quiet", "--interactive"})
  void whatOnlyAGuestInQemuHasIsRefusedInProcess(String option) {
    assertThat(boot("--guest=in-process", option)).isEqualTo(2);
    assertThat(err.toString()).contains("is for a guest in QEMU, not for --guest in-process");
  }

  @Test
  void theGuestAndTheJsonCannotBothHaveStandardOutput() {
    assertThat(boot("--interactive", "--json=-")).isEqualTo(2);
    assertThat(err.toString()).contains("give --json a file");
  }

  @Test
  void helpListsEveryOptionItsDefaultTheExitCodesAndExamples() {
    assertThat(boot("--help")).isZero();
    assertThat(out.toString().replaceAll("\\s+", " "))
        .contains("--guest=GUEST", "'qemu'", "'in-process'", "(default: qemu)")
        .contains("--iommu=KIND", "'vtd'", "'none'", "(default: vtd)")
        .contains(
            "--invalidation=MODE", "'strict'", "'lazy'", "(default: strict; to measure, lazy,")
        .contains("--memory=SIZE", "(default: 512M)")
        .contains("--accel=ACCEL", "'tcg'", "'kvm'", "(default: tcg)")
        .contains("--timeout=TIME", "(default: 3m)")
        .contains("--bench", "--bench-seconds=N", "1 to 600", "(default: 5)")
        .contains("--disk=FILE", "--kernel=FILE", "--initrd=FILE", "--append=WORDS")
        .contains("--interactive", "--offline", "--json[=FILE]", "--verbose")
        .contains("Exit status:", " 0 every check passed", " 130 ended by Ctrl-C")
        .contains("Examples:", "sluice boot --guest in-process");
  }

  // --- benchmark -------------------------------------------------------------------------------

  @Test
  void aBenchmarkTakesTheMachineOfABootAndFiveSecondsAWorkload() {
    assertThat(boot("--bench", "--iommu=none", "--memory=1G", "--accel=kvm")).isZero();
    assertThat(booted).isNull();
    assertThat(bench().measured()).isEqualTo(Duration.ofSeconds(5));
    assertThat(bench().machine().iommu()).isEqualTo(BootOptions.IommuKind.NONE);
    assertThat(bench().machine().memoryMib()).isEqualTo(1024);
    assertThat(bench().machine().accelerator()).isEqualTo(BootOptions.Accelerator.KVM);
  }

  @Test
  void aBenchmarkInvalidatesAsLinuxDoesIfNobodyTellsItAndABootAtOnce() {
    assertThat(boot("--bench")).isZero();
    assertThat(bench().machine().invalidation()).isEqualTo(BootOptions.Invalidation.LAZY);
    assertThat(boot("--bench", "--invalidation=strict")).isZero();
    assertThat(bench().machine().invalidation()).isEqualTo(BootOptions.Invalidation.STRICT);
    assertThat(boot()).isZero();
    assertThat(options().invalidation()).isEqualTo(BootOptions.Invalidation.STRICT);
  }

  @Test
  void aBenchmarkMayTakeOtherTimes() {
    assertThat(boot("--bench", "--bench-seconds=600")).isZero();
    assertThat(bench().measured()).isEqualTo(Duration.ofMinutes(10));
  }

  @Test
  void aBenchmarkThatMeasuredEverythingEndsWithZeroItsTableAndItsJson() {
    assertThat(boot("--bench", "--json=-")).isZero();
    assertThat(err.toString()).contains("MEASURED: 1 of 1 workloads on both");
    assertThat(ParsedJson.object(out.toString())).containsKey("bench");
  }

  @Test
  void aBenchmarkThatLacksSomethingEndsWithOneAndALog() throws IOException {
    bencher = (_, _) -> SampleReports.halfMeasured();
    assertThat(boot("--bench")).isEqualTo(1);
    assertThat(out.toString()).contains("FAILED: 0 of 1 workloads on both");
    assertThat(Files.readString(onlyLog())).contains("sluice boot --bench");
  }

  @Test
  void aBenchmarkThatCannotBeCarriedOutSaysWhy() {
    bencher =
        (_, _) -> {
          throw new BootException("there is no fio", "Find one.");
        };
    assertThat(boot("--bench")).isEqualTo(1);
    assertThat(err.toString()).contains("there is no fio", "What to do: Find one.");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          --bench --disk=d.img           | --bench overwrites the disk
          --bench --guest=in-process     | --guest in-process does not go with --bench
          --bench --initrd=i             | --initrd does not go with --bench
          --bench --interactive          | --interactive does not go with --bench
          --bench --bench-seconds=0      | --bench-seconds is 0, it can be 1 to 600
          --bench --bench-seconds=601    | --bench-seconds is 601, it can be 1 to 600
          --bench --bench-seconds=soon   | 'soon' is not an int
          --bench-seconds=5              | --bench-seconds is for --bench
          """)
  void whatABenchmarkCannotDoIsAUsageError(String arguments, String message) {
    assertThat(boot(arguments.split(" "))).isEqualTo(2);
    assertThat(err.toString()).contains(message);
    assertThat(measured).isNull();
    assertThat(booted).isNull();
  }

  private BenchOptions bench() {
    return Objects.requireNonNull(measured);
  }

  // --- outcomes --------------------------------------------------------------------------------

  @Test
  void aBootThatPassedEndsWithZeroAndTheReportOnStandardOutput() {
    assertThat(boot()).isZero();
    assertThat(out.toString())
        .startsWith("Linux 7.3.4+deb13-amd64 behind vtd")
        .endsWith("PASSED: 2 of 2 checks, 10.3 s\n");
  }

  @Test
  void theProgressGoesToStandardError() {
    booter = BootCommandTest::bootWithTwoStages;
    boot();
    assertThat(err.toString())
        .matches("kit \\.\\.\\. \\d+\\.\\d s\nguest \\.\\.\\. \\d+\\.\\d s\n");
    assertThat(out.toString()).doesNotContain("kit ...");
  }

  @Test
  void aFailedCheckEndsWithOneAndTheEndOfTheConsoleAndTheLog() throws IOException {
    booter =
        (_, listener) -> {
          listener.console("nvme0: something is odd");
          return SampleReports.failed();
        };
    assertThat(boot()).isEqualTo(1);
    assertThat(out.toString()).endsWith("FAILED: 1 of 2 checks, 10.3 s\n");
    assertThat(err.toString()).contains("  | nvme0: something is odd\n", "All of it is in ");
    assertThat(Files.readString(onlyLog())).contains("sluice boot", "nvme0: something is odd");
  }

  @Test
  void aBootThatPassedLeavesNoLog() {
    boot();
    assertThat(folder.resolve("logs")).doesNotExist();
  }

  @Test
  void aBootThatFailedSaysWhereWhatAndWhatToDo() throws IOException {
    booter =
        (_, listener) -> {
          listener.stage("guest");
          listener.console("Kernel panic - not syncing: VFS");
          throw new BootException("the guest's kernel panicked", "Pass a kernel that has NVMe.");
        };
    assertThat(boot()).isEqualTo(1);
    assertThat(err.toString())
        .contains("FAILED in the stage 'guest': the guest's kernel panicked\n")
        .contains("What to do: Pass a kernel that has NVMe.\n")
        .contains("The guest's console ends with:\n  | Kernel panic - not syncing: VFS\n")
        .contains("All of it is in " + onlyLog());
    assertThat(Files.readString(onlyLog()))
        .contains("stage guest", "failed: the guest's kernel panicked", "Kernel panic");
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void aLogThatCannotBeWrittenDoesNotHideTheFailure() throws IOException {
    Files.createFile(folder.resolve("logs"));
    booter =
        (_, _) -> {
          throw new BootException("no QEMU", "Install one.");
        };
    assertThat(boot()).isEqualTo(1);
    assertThat(err.toString()).contains("the log could not be written", "no QEMU", "Install one.");
  }

  @Test
  void anInterruptedBootSaysSoAndEndsWithTheStatusOfCtrlC() {
    booter =
        (_, listener) -> {
          listener.stage("guest");
          throw new InterruptedException();
        };
    assertThat(boot()).isEqualTo(130);
    assertThat(err.toString())
        .contains("guest ... 0.0 s interrupted\n")
        .contains("sluice: interrupted after", "nothing is left running.\n");
  }

  @Test
  void aDefectIsNamedAsSuchWithItsStack() {
    booter =
        (_, _) -> {
          throw new IllegalStateException("unbelievable");
        };
    assertThat(boot()).isEqualTo(1);
    assertThat(err.toString())
        .contains("a defect of Sluice", "IllegalStateException: unbelievable", "\tat ");
  }

  // --- JSON ------------------------------------------------------------------------------------

  @Test
  void theJsonGoesToItsFileBesideTheReport() throws IOException {
    Path file = folder.resolve("report.json");
    assertThat(boot("--json", file.toString())).isZero();
    assertThat(Files.readString(file)).isEqualTo(ReportJson.of(SampleReports.passed()));
    assertThat(out.toString()).contains("PASSED");
  }

  @Test
  void theJsonHasStandardOutputForItselfWhenItGoesThere() {
    for (String[] words : new String[][] {{"--json"}, {"--json=-"}, {"--json", "--offline"}}) {
      out.getBuffer().setLength(0);
      assertThat(boot(words)).isZero();
      assertThat(out).hasToString(ReportJson.of(SampleReports.passed()));
      assertThat(err.toString()).contains("PASSED");
    }
  }

  @Test
  void aFailedBootIsToldInJsonToo() {
    booter =
        (_, listener) -> {
          listener.stage("kit");
          throw new BootException("no QEMU", "Install one.");
        };
    assertThat(boot("--json=-")).isEqualTo(1);
    assertThat(out.toString())
        .contains("\"passed\" : false", "\"message\" : \"no QEMU\"", "\"stage\" : \"kit\"");
  }

  @Test
  void aJsonFileThatCannotBeWrittenIsFoundBeforeTheBoot() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    for (Path path : List.of(folder, folder.resolve("none/report.json"), file.resolve("x"))) {
      err.getBuffer().setLength(0);
      assertThat(boot("--json", path.toString())).isEqualTo(2);
      assertThat(err.toString()).contains("cannot write --json " + path);
    }
    assertThat(booted).isNull();
  }

  @Test
  void jsonThatCannotBeWrittenAtTheEndIsAFailure() throws IOException {
    Path inner = Files.createDirectory(folder.resolve("inner"));
    booter =
        (_, _) -> {
          delete(inner);
          return SampleReports.passed();
        };
    assertThat(boot("--json", inner.resolve("report.json").toString())).isEqualTo(1);
    assertThat(err.toString()).contains("the JSON report could not be written");
    assertThat(out.toString()).contains("PASSED");
  }

  private static void delete(Path path) {
    try {
      Files.delete(path);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static BootReport bootWithTwoStages(BootOptions options, BootListener listener) {
    listener.stage("kit");
    listener.stage("guest");
    return SampleReports.passed();
  }

  private BootOptions options() {
    assertThat(booted).isNotNull();
    return Objects.requireNonNull(booted);
  }

  private Path onlyLog() throws IOException {
    try (var files = Files.list(folder.resolve("logs"))) {
      return assertThat(files.toList()).singleElement().actual();
    }
  }

  private Bencher rememberingBencher() {
    return (options, listener) -> {
      measured = options;
      return bencher.bench(options, listener);
    };
  }

  private int boot(String... arguments) {
    Booter remembers =
        (options, listener) -> {
          booted = options;
          return booter.boot(options, listener);
        };
    BootCommand command =
        new BootCommand(
            remembers, rememberingBencher(), folder.resolve("logs"), Terminal.NONE, Terminal.NONE);
    CommandLine sluice =
        Main.commandLine(command).setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    String[] all = new String[arguments.length + 1];
    all[0] = "boot";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    return sluice.execute(all);
  }
}
