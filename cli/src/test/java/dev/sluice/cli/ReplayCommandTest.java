package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.vm.replay.Replay;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class ReplayCommandTest {
  private static final List<String> TRACE =
      List.of(
          "spapr_iommu_new_table liobn=0x80000000 table=0x7f fd=-1",
          "spapr_iommu_pci_put liobn=0x80000000 ioba=0x1000 tce=0x44000003 ret=0",
          "spapr_iommu_pci_indirect liobn=0x80000000 ioba=0x2000 tcelist=0x9000 iobaN=0x1"
              + " tceN=0x50001003 ret=0",
          "spapr_iommu_xlate liobn=0x80000000 0x1080 -> 0x44000000 perm=3 mask=0xfff",
          "spapr_iommu_xlate liobn=0x80000000 0x2080 -> 0x50000000 perm=3 mask=0xfff",
          "something else");

  @TempDir private Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int replay(String... args) {
    CommandLine sluice = Main.commandLine(new ReplayCommand(Replay::spapr, Terminal.NONE));
    sluice.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
    String[] all = new String[args.length + 1];
    all[0] = "replay";
    System.arraycopy(args, 0, all, 1, args.length);
    return sluice.execute(all);
  }

  private String file(String right, String wrong) throws IOException {
    List<String> lines = TRACE.stream().map(line -> line.replace(right, wrong)).toList();
    return Files.write(folder.resolve("trace"), lines).toString();
  }

  @Test
  void anExactReplaySaysWhatItWasAndSucceeds() throws IOException {
    assertThat(replay("--iommu", "spapr", file("", ""))).isZero();
    assertThat(out)
        .hasToString(
            """
            2 calls of the guest: 1 H_PUT_TCE, 1 H_PUT_TCE_INDIRECT, 0 H_STUFF_TCE, 0 H_GET_TCE, 0 on windows
            2 translations
            1 entry of a list was derived; translations confirmed 1, and corrected 0
            1 line about something else passed over

            EXACT: every return code and every translation is as recorded
            """);
    assertThat(err).hasToString("");
  }

  @Test
  void theFirstDifferenceIsShownAndFails() throws IOException {
    assertThat(replay("--iommu=spapr", file("-> 0x44000000", "-> 0x44001000"))).isEqualTo(1);
    assertThat(out.toString())
        .endsWith(
            """

            DIFFERENT at line 4:
              spapr_iommu_xlate liobn=0x80000000 0x1080 -> 0x44001000 perm=3 mask=0xfff
              recorded: 0x44001000 perm=3 mask=0xfff
              came out: 0x44000000 perm=3 mask=0xfff
            """);
  }

  @Test
  void jsonHasTheSame() throws IOException {
    assertThat(replay("--iommu=spapr", "--json", file("", ""))).isZero();
    Map<String, Object> report = ParsedJson.object(out.toString());
    assertThat(report).containsEntry("exact", true).doesNotContainKey("mismatch");
    assertThat(ParsedJson.at(report, "lines")).isEqualTo(6.0);
    assertThat(ParsedJson.at(report, "calls.putIndirect")).isEqualTo(1.0);
    assertThat(ParsedJson.at(report, "listEntries.confirmed")).isEqualTo(1.0);
  }

  @Test
  void jsonHasTheDifference() throws IOException {
    assertThat(replay("--iommu=spapr", "--json", file("ret=0", "ret=-4"))).isEqualTo(1);
    Map<String, Object> report = ParsedJson.object(out.toString());
    assertThat(report).containsEntry("exact", false);
    assertThat(ParsedJson.at(report, "mismatch.line")).isEqualTo(2.0);
    assertThat(ParsedJson.at(report, "mismatch.recorded")).isEqualTo("ret=-4");
    assertThat(ParsedJson.at(report, "mismatch.cameOut")).isEqualTo("ret=0");
  }

  @Test
  void jsonTellsWhyARecordingCannotBeReplayed() {
    assertThat(replay("--iommu=spapr", "--json", folder.resolve("none").toString())).isEqualTo(1);
    assertThat(ParsedJson.object(out.toString()))
        .containsEntry("exact", false)
        .containsEntry("status", 1.0)
        .containsEntry("error", Map.of("message", "there is no file " + folder.resolve("none")));
    assertThat(out.toString()).endsWith("}\n").containsOnlyOnce("\n");
    assertThat(err).hasToString("sluice: there is no file " + folder.resolve("none") + "\n");
  }

  @Test
  void jsonInAFileLeavesStandardOutputToPeople() throws IOException {
    Path report = folder.resolve("report.json");
    assertThat(replay("--iommu=spapr", "--json=" + report, file("", ""))).isZero();
    assertThat(out.toString()).contains("EXACT");
    assertThat(ParsedJson.object(Files.readString(report)))
        .containsEntry("exact", true)
        .containsEntry("status", 0.0);
  }

  @Test
  void aJsonFileThatCannotBeWrittenIsFoundOutFirst() throws IOException {
    assertThat(replay("--iommu=spapr", "--json=" + folder, file("", ""))).isEqualTo(2);
    assertThat(err.toString()).contains("cannot write --json " + folder + ": ");
    assertThat(out).hasToString("");
  }

  @Test
  void theWordAfterJsonIsTheRecording() throws IOException {
    String recording = file("", "");
    assertThat(replay("--json", recording, "--iommu=spapr")).isZero();
    assertThat(ParsedJson.object(out.toString())).containsEntry("exact", true);
    assertThat(replay("--iommu=spapr", "--json", "report.json", recording)).isEqualTo(2);
  }

  @Test
  void aFileThatCannotBeReplayedFailsInOneLine() throws IOException {
    assertThat(replay("--iommu=spapr", folder.resolve("none").toString())).isEqualTo(1);
    assertThat(err).hasToString("sluice: there is no file " + folder.resolve("none") + "\n");
    assertThat(replay("--iommu=spapr", file("ret=0", "ret="))).isEqualTo(1);
    assertThat(err.toString()).contains("sluice: line 2: not as QEMU prints it: ");
    assertThat(out).hasToString("");
  }

  @Test
  void aWrongCommandLineIsStatusTwo() throws IOException {
    assertThat(replay(file("", ""))).isEqualTo(2);
    assertThat(replay("--iommu=spapr")).isEqualTo(2);
    assertThat(replay("--iommu=vtd", file("", ""))).isEqualTo(2);
    assertThat(err.toString())
        .contains("'vtd' is not spapr")
        .contains("Try 'sluice replay --help'");
  }
}
