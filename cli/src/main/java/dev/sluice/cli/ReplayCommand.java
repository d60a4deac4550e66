package dev.sluice.cli;

import dev.sluice.vm.replay.ReplayException;
import dev.sluice.vm.replay.ReplayReport;
import dev.sluice.vm.replay.ReplayReport.Mismatch;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `sluice replay`: recorded traffic through a model.
@Command(
    name = "replay",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false,
    customSynopsis = "sluice replay --iommu=spapr [--json[=FILE]] RECORDING",
    header = "Replays recorded IOMMU traffic through a model, and compares every answer.",
    description = {
      "",
      "Makes every call that the recording has, and every translation, in order. Each return code"
          + " and each translation must be the recorded one; the first that is not ends the"
          + " replay.",
      ""
    },
    parameterListHeading = "The recording:%n",
    optionListHeading = "%nOptions:%n",
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:every answer is as recorded",
      "1:an answer differs, or the file cannot be replayed",
      "2:the command line is wrong"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  What QEMU traces of a pseries guest:",
      "    qemu-system-ppc64 -M pseries -trace 'spapr_iommu*' -D trace.log ...",
      "    sluice replay --iommu spapr trace.log"
    })
final class ReplayCommand implements Callable<Integer> {
  private static final int EXACT = 0;
  private static final int FAILED = 1;

  /// Whose traffic it is.
  enum Model {
    /// TCE tables of a pseries guest, as QEMU traces them.
    SPAPR
  }

  /// What replays a file.
  @FunctionalInterface
  interface Replayer {
    ReplayReport replay(Path file) throws ReplayException;
  }

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "RECORDING", description = "A text file, plain or compressed by gzip.")
  private Path file;

  @Option(
      names = "--iommu",
      required = true,
      paramLabel = "MODEL",
      converter = Choice.OfModel.class,
      description = "The model: spapr, for QEMU's trace events spapr_iommu_*.")
  private Model model;

  @Option(
      names = "--json",
      arity = "0..1",
      fallbackValue = JsonTarget.STANDARD_OUTPUT,
      preprocessor = OnlyAttachedValue.class,
      paramLabel = "FILE",
      description =
          "Writes the report as one line of JSON, for a failed replay too: to FILE, or without one "
              + "to standard output and nothing else there. FILE goes with '=': the next word is "
              + "the recording.")
  private @Nullable String json;

  private final Replayer spapr;
  private final Terminal outTerminal;

  /// @param spapr what replays a recording of TCE tables
  /// @param outTerminal what standard output permits
  ReplayCommand(Replayer spapr, Terminal outTerminal) {
    this.spapr = spapr;
    this.outTerminal = outTerminal;
  }

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    Optional<JsonTarget> target = JsonTarget.wanted(json, spec.commandLine());
    ReplayReport report;
    try {
      report =
          switch (model) {
            case SPAPR -> spapr.replay(file);
          };
    } catch (ReplayException e) {
      complain(e.getMessage());
      write(target, ReplayJson.of(e, FAILED));
      return FAILED;
    }
    if (target.filter(JsonTarget.Stream.class::isInstance).isEmpty()) {
      lines(report).forEach(out::println);
      out.flush();
    }
    int status = report.mismatch().isEmpty() ? EXACT : FAILED;
    return write(target, ReplayJson.of(report, status)) ? status : FAILED;
  }

  private boolean write(Optional<JsonTarget> target, String report) {
    try {
      if (target.isPresent()) {
        target.get().write(report);
      }
      return true;
    } catch (IOException e) {
      complain("the JSON report could not be written: " + e);
      return false;
    }
  }

  private void complain(@Nullable String what) {
    PrintWriter err = spec.commandLine().getErr();
    err.println("sluice: " + what);
    err.flush();
  }

  private List<String> lines(ReplayReport report) {
    List<String> lines = new ArrayList<>();
    ReplayReport.Calls calls = report.calls();
    ReplayReport.Lists lists = report.lists();
    lines.add(
        "%s of the guest: %s H_PUT_TCE, %s H_PUT_TCE_INDIRECT, %s H_STUFF_TCE, %s H_GET_TCE, %s on windows"
            .formatted(
                count(calls.sum(), "call"),
                number(calls.puts()),
                number(calls.indirects()),
                number(calls.stuffs()),
                number(calls.gets()),
                number(calls.windows())));
    lines.add(count(report.translations(), "translation"));
    if (lists.derived() != 0) {
      lines.add(
          (lists.derived() == 1
                  ? "1 entry of a list was"
                  : number(lists.derived()) + " entries of lists were")
              + " derived; translations confirmed %s, and corrected %s"
                  .formatted(number(lists.confirmed()), number(lists.corrected())));
    }
    if (report.ignored() != 0) {
      lines.add(count(report.ignored(), "line") + " about something else passed over");
    }
    lines.add("");
    report
        .mismatch()
        .ifPresentOrElse(
            mismatch -> lines.addAll(lines(mismatch)),
            () ->
                lines.add(
                    outTerminal.paint(Terminal.Style.GREEN, "EXACT")
                        + ": every return code and every translation is as recorded"));
    return lines;
  }

  private List<String> lines(Mismatch mismatch) {
    return List.of(
        outTerminal.paint(Terminal.Style.RED, "DIFFERENT")
            + " at line "
            + number(mismatch.line())
            + ":",
        "  " + mismatch.text(),
        "  recorded: " + mismatch.recorded(),
        "  came out: " + mismatch.cameOut());
  }

  private static String count(long number, String what) {
    return number(number) + " " + what + (number == 1 ? "" : "s");
  }

  private static String number(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }
}
