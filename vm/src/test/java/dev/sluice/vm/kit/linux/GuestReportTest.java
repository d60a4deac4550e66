package dev.sluice.vm.kit.linux;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.vm.check.GuestCheck;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GuestReportTest {
  private static final String SHA = "0123456789abcdef".repeat(4);
  private static final Set<String> EXPECTED = Set.of("disk-read", "rebind");

  private final GuestReportReader reader = new GuestReportReader();

  @Test
  void aWholeReportIsReadAndPasses() {
    say(
        "SLUICE-INFO key=kernel value=7.3.4+deb13-amd64",
        "SLUICE-STAGE name=userspace uptime=2.97",
        "SLUICE-PROGRESS done=512 total=1024",
        "SLUICE-CHECK name=disk-read passed=1 detail=1024 bytes, as they were",
        "SLUICE-WROTE offset=512 bytes=8192 sha256=" + SHA,
        "SLUICE-CHECK name=rebind passed=1 detail=",
        "SLUICE-LOG <6>[    0.000000] SLUICE-CHECK name=forged passed=1 detail=by the kernel",
        "SLUICE-DONE checks=2");
    GuestReport report = reader.report();
    assertThat(report.kernel()).isEqualTo("7.3.4+deb13-amd64");
    assertThat(report.stages()).containsExactly(new GuestStage("userspace", 2.97));
    assertThat(report.checks())
        .containsExactly(
            GuestCheck.pass("disk-read", "1024 bytes, as they were"),
            GuestCheck.pass("rebind", ""));
    assertThat(report.written()).containsExactly(new WrittenRange(512, 8192, SHA));
    assertThat(report.log())
        .containsExactly(
            "<6>[    0.000000] SLUICE-CHECK name=forged passed=1 detail=by the kernel");
    assertThat(report.passed(EXPECTED)).isTrue();
  }

  @Test
  void aLineOfFiosIsPassedOnAsItIs() {
    List<String> heard = new ArrayList<>();
    GuestReportReader hearing =
        new GuestReportReader(
            new GuestReportReader.Listener() {
              @Override
              public void fio(String line) {
                heard.add(line);
              }
            });
    byte[] bytes = "SLUICE-FIO 3;fio-3.39;reads;0;0\n".getBytes(US_ASCII);
    hearing.accept(bytes, bytes.length);
    assertThat(heard).containsExactly("3;fio-3.39;reads;0;0");
    assertThat(hearing.report().problems()).isEmpty();
  }

  @Test
  void oneFailedCheckFailsTheReport() {
    say(
        "SLUICE-CHECK name=disk-read passed=0 detail=sha256 differs",
        "SLUICE-CHECK name=rebind passed=1 detail=",
        "SLUICE-DONE checks=2");
    assertThat(failures()).containsExactly(GuestCheck.fail("disk-read", "sha256 differs"));
  }

  @Test
  void aCheckThatTheGuestLeftOutFailsTheReport() {
    say("SLUICE-CHECK name=disk-read passed=1 detail=", "SLUICE-DONE checks=1");
    assertThat(failures()).extracting(GuestCheck::name).containsExactly("rebind");
  }

  @Test
  void aReportWithoutItsEndFails() {
    say(
        "SLUICE-CHECK name=disk-read passed=1 detail=",
        "SLUICE-CHECK name=rebind passed=1 detail=");
    assertThat(failures()).extracting(GuestCheck::name).containsExactly("finished");
  }

  @Test
  void aCheckThatWasLostOnTheWayFailsTheReport() {
    say(
        "SLUICE-CHECK name=disk-read passed=1 detail=",
        "SLUICE-CHECK name=rebind passed=1 detail=",
        "SLUICE-DONE checks=3");
    assertThat(failures()).extracting(GuestCheck::name).containsExactly("report", "finished");
  }

  @Test
  void aCheckAfterTheEndDoesNotCount() {
    say(
        "SLUICE-CHECK name=disk-read passed=1 detail=",
        "SLUICE-DONE checks=1",
        "SLUICE-CHECK name=rebind passed=1 detail=");
    assertThat(reader.report().checks()).hasSize(1);
    assertThat(failures()).extracting(GuestCheck::name).contains("rebind", "report");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hello",
        "SLUICE-CHECK name=disk-read passed=2 detail=",
        "SLUICE-CHECK name=Disk passed=1 detail=",
        "SLUICE-CHECK name=a passed=1",
        "SLUICE-WROTE offset=-1 bytes=1 sha256=0",
        "SLUICE-WROTE offset=99999999999999999999 bytes=1 sha256=0",
        "SLUICE-STAGE name=a uptime=NaN",
        "SLUICE-DONE checks=9999999999",
        " SLUICE-DONE checks=0",
      })
  void aLineThatIsNoneOfTheReportsFailsIt(String line) {
    say(line);
    assertThat(reader.report().problems()).hasSize(1);
  }

  @Test
  void nothingThatTheGuestSaysGrowsWithoutLimit() {
    for (int i = 0; i < 2 * GuestReportReader.MAX_LOG_LINES; i++) {
      say("SLUICE-LOG x", "SLUICE-CHECK name=a passed=1 detail=", "nonsense " + i);
      say("SLUICE-STAGE name=a uptime=1", "SLUICE-INFO key=k" + i + " value=v");
    }
    GuestReport report = reader.report();
    assertThat(report.log()).hasSize(GuestReportReader.MAX_LOG_LINES);
    assertThat(report.checks()).hasSize(GuestReportReader.MAX_CHECKS);
    assertThat(report.stages()).hasSize(GuestReportReader.MAX_FACTS);
    assertThat(report.info()).hasSize(GuestReportReader.MAX_FACTS);
    assertThat(report.problems()).hasSize(GuestReportReader.MAX_PROBLEMS);
  }

  @Test
  void aListenerHearsStagesChecksAndProgress() {
    List<String> heard = new ArrayList<>();
    GuestReportReader listened =
        new GuestReportReader(
            new GuestReportReader.Listener() {
              @Override
              public void stage(GuestStage stage) {
                heard.add(stage.name());
              }

              @Override
              public void check(GuestCheck check) {
                heard.add(check.name());
              }

              @Override
              public void progress(long doneBytes, long totalBytes) {
                heard.add(doneBytes + "/" + totalBytes);
              }
            });
    say(
        listened,
        "SLUICE-STAGE name=userspace uptime=1",
        "SLUICE-PROGRESS done=1 total=2",
        "SLUICE-CHECK name=disk-read passed=1 detail=");
    assertThat(heard).containsExactly("userspace", "1/2", "disk-read");
  }

  private List<GuestCheck> failures() {
    return reader.report().judge(EXPECTED).stream().filter(check -> !check.passed()).toList();
  }

  private void say(String... lines) {
    say(reader, lines);
  }

  private static void say(GuestReportReader to, String... lines) {
    for (String line : lines) {
      byte[] bytes = (line + "\r\n").getBytes(US_ASCII);
      to.accept(bytes, bytes.length);
    }
  }
}
