package dev.sluice.cli;

import dev.sluice.vm.BenchOptions;
import dev.sluice.vm.BenchReport;
import dev.sluice.vm.BootOptions;
import dev.sluice.vm.BootReport;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `sluice boot`: runs one guest and tells what happened.
@Command(
    name = "boot",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false,
    customSynopsis = "sluice boot [OPTION...]",
    header = "Boots a guest behind an IOMMU that runs in Java, and prints what happened.",
    description = {
      "",
      "The guest is an unmodified Linux in a stock QEMU. Its disk is an NVMe controller and its"
          + " IOMMU a VT-d, both in this process and attached over vfio-user. The guest checks"
          + " what it finds (its log, the whole disk, a rebind of the driver, a DMA that must"
          + " fault, an unmap of a page that a device holds); the host checks what the guest wrote.",
      "",
      "QEMU (10.1 or newer) is taken from PATH, or from the machine's Debian sources into a cache"
          + " that later runs use; so are the guest's kernel and initramfs. Nothing is installed."
          + " Where no QEMU can be had, the in-process guest takes its place, and the report says"
          + " so.",
      ""
    },
    optionListHeading = "Options:%n",
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:every check passed, or everything was measured",
      "1:the boot failed, or a check did",
      "2:the command line is wrong",
      "130:ended by Ctrl-C"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  Linux behind VT-d, strict invalidation:",
      "    sluice boot",
      "  The same job in about a second, without QEMU:",
      "    sluice boot --guest in-process",
      "  The report as JSON on standard output:",
      "    sluice boot --invalidation lazy --json",
      "  Without an IOMMU, the guest's console live:",
      "    sluice boot --iommu none --verbose",
      "  A disk of your own, and a shell on the guest after its checks:",
      "    sluice boot --disk my.img --interactive",
      "  How fast the disk is, beside QEMU's own:",
      "    sluice boot --bench",
      "",
      "Environment:",
      "  SLUICE_CACHE    the cache (default: $XDG_CACHE_HOME/sluice or ~/.cache/sluice)",
      "  XDG_STATE_HOME  logs of failed boots go to its folder sluice",
      "                  (default: ~/.local/state)",
      "  NO_COLOR        set to anything: no colours",
      "  CI              set: one line a stage, nothing is drawn again"
    })
final class BootCommand implements Callable<Integer> {
  /// Seconds of a workload: enough for a few thousand I/Os of the slowest.
  private static final int BENCH_SECONDS = 5;

  @Spec private CommandSpec spec;

  @Option(
      names = "--guest",
      paramLabel = "GUEST",
      defaultValue = "qemu",
      converter = Choice.OfGuest.class,
      description =
          "'qemu': a Linux in QEMU. 'in-process': a small driver in this process that programs "
              + "the same registers (default: ${DEFAULT-VALUE}).")
  private BootOptions.Guest guest = BootOptions.Guest.QEMU;

  @Mixin private PlatformOptions platform;

  @Option(
      names = "--kernel",
      paramLabel = "FILE",
      description = "A kernel (bzImage) of your own. Default: Debian's.")
  private @Nullable Path kernel;

  @Option(
      names = "--initrd",
      paramLabel = "FILE",
      description =
          "An initramfs of your own, which makes its own checks. Default: the one with "
              + "Sluice's checks.")
  private @Nullable Path initrd;

  @Option(
      names = "--append",
      paramLabel = "WORDS",
      description = "Words for the kernel's command line, after Sluice's own. May be repeated.")
  private List<String> append = new ArrayList<>();

  @Option(
      names = "--accel",
      paramLabel = "ACCEL",
      defaultValue = "tcg",
      converter = Choice.OfAccelerator.class,
      description =
          "What QEMU executes the guest with. 'tcg': translation, anywhere. 'kvm': the processor; "
              + "where that does not work, TCG takes its place (default: ${DEFAULT-VALUE}).")
  private BootOptions.Accelerator accelerator = BootOptions.Accelerator.TCG;

  @Option(
      names = "--interactive",
      description =
          "Gives you a shell on the guest after its checks. 'exit' powers it off, Ctrl-A "
              + "x ends it at once.")
  private boolean interactive;

  @Option(names = "--offline", description = "Uses what is in the cache and downloads nothing.")
  private boolean offline;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      defaultValue = "3m",
      converter = TimeLimit.class,
      description =
          "Longest time for the guest: 90 or 90s, 3m, 1h (default: ${DEFAULT-VALUE}). "
              + "Downloads do not count.")
  private Duration timeout = Duration.ofMinutes(3);

  @Option(
      names = "--json",
      arity = "0..1",
      fallbackValue = JsonTarget.STANDARD_OUTPUT,
      paramLabel = "FILE",
      description =
          "Writes the report as one JSON object, for a failed boot too: to FILE, or without one to "
              + "standard output; what is for people goes to standard error then.")
  private @Nullable String json;

  @Option(
      names = {"-v", "--verbose"},
      description = "Shows the guest's console while it runs.")
  private boolean verbose;

  @Option(
      names = "--bench",
      description =
          "Measures the disk with fio instead: in one guest on QEMU's own nvme and intel-iommu, then "
              + "in one on Sluice's. Fetches fio (45 MB) the first time.")
  private boolean bench;

  @Option(
      names = "--bench-seconds",
      paramLabel = "N",
      description =
          "Seconds for each of the six workloads of --bench, 1 to 600, after a warm-up of up to 2 s "
              + "(default: 5).")
  private @Nullable Integer benchSeconds;

  private final Booter booter;
  private final Bencher bencher;
  private final Path logs;
  private final Terminal outTerminal;
  private final Terminal errTerminal;

  /// @param booter what boots
  /// @param bencher what measures
  /// @param logs the folder for logs of failed boots
  /// @param outTerminal what standard output permits
  /// @param errTerminal what standard error permits
  BootCommand(
      Booter booter, Bencher bencher, Path logs, Terminal outTerminal, Terminal errTerminal) {
    this.booter = booter;
    this.bencher = bencher;
    this.logs = logs;
    this.outTerminal = outTerminal;
    this.errTerminal = errTerminal;
  }

  @Override
  public Integer call() {
    BootOptions options = options();
    Optional<BenchOptions> benchOptions = benchOptions(options);
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    Optional<JsonTarget> target = JsonTarget.wanted(json, spec.commandLine());
    boolean outIsForJson = target.filter(JsonTarget.Stream.class::isInstance).isPresent();
    BootSession.Outputs outputs =
        new BootSession.Outputs(
            outIsForJson ? err : out,
            outIsForJson ? errTerminal : outTerminal,
            err,
            errTerminal,
            target);
    Outcome.Source source =
        benchOptions
            .map(wanted -> measuring(wanted, outputs.reportTerminal()))
            .orElseGet(() -> booting(options, outputs.reportTerminal()));
    BootSession session = new BootSession(source, interactive, outputs, logs, verbose);
    return session.run(spec.commandLine().getParseResult().originalArgs());
  }

  private Outcome.Source booting(BootOptions options, Terminal terminal) {
    return listener -> {
      BootReport report = booter.boot(options, listener);
      List<String> lines = ReportTable.of(report, options.invalidation(), terminal);
      return new Outcome(report.passed(), lines, ReportJson.of(report));
    };
  }

  private Outcome.Source measuring(BenchOptions options, Terminal terminal) {
    return listener -> {
      BenchReport report = bencher.bench(options, listener);
      List<String> lines = BenchTable.of(report, terminal);
      return new Outcome(report.passed(), lines, BenchJson.of(report));
    };
  }

  private Optional<BenchOptions> benchOptions(BootOptions machine) {
    if (!bench) {
      if (benchSeconds != null) {
        throw wrong("--bench-seconds is for --bench");
      }
      return Optional.empty();
    }
    if (platform.disk().isPresent()) {
      throw wrong("--bench overwrites the disk, so it makes one of its own: leave --disk out");
    }
    refuseForBench("--guest in-process", guest == BootOptions.Guest.IN_PROCESS);
    refuseForBench("--initrd", initrd != null);
    refuseForBench("--interactive", interactive);
    long seconds = benchSeconds == null ? BENCH_SECONDS : benchSeconds;
    if (seconds < 1 || seconds > BenchOptions.LONGEST.toSeconds()) {
      throw wrong(
          "--bench-seconds is %d, it can be 1 to %d"
              .formatted(seconds, BenchOptions.LONGEST.toSeconds()));
    }
    return Optional.of(new BenchOptions(machine, Duration.ofSeconds(seconds)));
  }

  private void refuseForBench(String option, boolean given) {
    if (given) {
      throw wrong(option + " does not go with --bench");
    }
  }

  private BootOptions options() {
    if (guest == BootOptions.Guest.IN_PROCESS) {
      refuseForInProcess("--kernel", kernel != null);
      refuseForInProcess("--initrd", initrd != null);
      refuseForInProcess("--append", !append.isEmpty());
      refuseForInProcess("--interactive", interactive);
    }
    if (interactive && JsonTarget.STANDARD_OUTPUT.equals(json)) {
      throw wrong("--interactive needs standard output for the guest: give --json a file");
    }
    List<String> words = new ArrayList<>();
    for (String line : append) {
      words.addAll(List.of(line.strip().split("\\s+")));
    }
    return new BootOptions(
        guest,
        platform.iommu(),
        platform.invalidation(
            bench ? BootOptions.Invalidation.LAZY : BootOptions.Invalidation.STRICT),
        platform.disk(),
        Optional.ofNullable(kernel),
        Optional.ofNullable(initrd),
        words,
        platform.memoryMib(),
        accelerator,
        interactive,
        offline,
        timeout);
  }

  private void refuseForInProcess(String option, boolean given) {
    if (given) {
      throw wrong(option + " is for a guest in QEMU, not for --guest in-process");
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
