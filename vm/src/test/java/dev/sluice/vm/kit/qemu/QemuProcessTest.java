package dev.sluice.vm.kit.qemu;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.vm.kit.KitException;
import dev.sluice.vm.kit.QemuInstallation;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Runs shell scripts in QEMU's place: what they say and how they end is QEMU's part.
class QemuProcessTest {
  private static final QemuLimits LONG =
      new QemuLimits(Duration.ofMinutes(2), Duration.ofMinutes(2));

  @TempDir private Path folder;

  @Test
  void aQemuThatEndsByItselfHasPoweredOff() throws Exception {
    QemuOutcome outcome = run("echo booting; echo done", LONG);
    assertThat(outcome.kind()).isEqualTo(QemuOutcome.Kind.POWERED_OFF);
    assertThat(outcome.console()).containsExactly("booting", "done");
  }

  @Test
  void aPanicIsNamed() throws Exception {
    QemuOutcome outcome = run("echo '[ 1.0] Kernel panic - not syncing: VFS'", LONG);
    assertThat(outcome.kind()).isEqualTo(QemuOutcome.Kind.PANICKED);
    assertThat(outcome.description()).contains("panicked").contains("VFS");
  }

  @Test
  void aQemuThatGivesUpSaysWhy() throws Exception {
    QemuOutcome outcome = run("echo 'qemu: no such device' >&2; exit 1", LONG);
    assertThat(outcome.kind()).isEqualTo(QemuOutcome.Kind.FAILED);
    assertThat(outcome.description()).contains("status 1").contains("qemu: no such device");
  }

  @Test
  void aSignalFromOutsideIsNamed() throws Exception {
    QemuOutcome outcome = run("kill -KILL $$", LONG);
    assertThat(outcome.kind()).isEqualTo(QemuOutcome.Kind.KILLED);
    assertThat(outcome.sentence()).contains("signal 9");
  }

  @Test
  void aSignalThatQemuObeysIsNamedThoughItsStatusIsZero() throws Exception {
    QemuOutcome outcome = run("echo 'qemu: terminating on signal 15 from pid 1 (x)' >&2", LONG);
    assertThat(outcome.kind()).isEqualTo(QemuOutcome.Kind.KILLED);
    assertThat(outcome.sentence()).contains("signal 15");
  }

  @Test
  void aGuestThatSaysNothingMoreIsEnded() throws Exception {
    QemuLimits limits = new QemuLimits(Duration.ofMinutes(2), Duration.ofMillis(200));
    QemuOutcome outcome = run("echo last words; exec sleep 600", limits);
    assertThat(outcome.kind()).isEqualTo(QemuOutcome.Kind.SILENT);
    assertThat(outcome.sentence()).contains("hangs");
  }

  @Test
  void aGuestThatTalksForEverIsEndedAtTheDeadline() throws Exception {
    QemuLimits limits = new QemuLimits(Duration.ofMillis(500), Duration.ofMinutes(2));
    QemuOutcome outcome = run("while :; do echo again; sleep 0.1; done", limits);
    assertThat(outcome.kind()).isEqualTo(QemuOutcome.Kind.DEADLINE);
  }

  @Test
  void aKvmThatCannotRunTheGuestIsEndedAtOnce() throws Exception {
    QemuOutcome outcome = run("echo 'KVM internal error. Suberror: 1' >&2; exec sleep 600", LONG);
    assertThat(outcome.kind()).isEqualTo(QemuOutcome.Kind.KVM_FAILED);
  }

  @Test
  void closingEndsTheProcess() throws Exception {
    QemuProcess qemu = QemuProcess.start(command("exec sleep 600"), LONG, new QemuListener() {});
    ProcessHandle handle = ProcessHandle.of(qemu.pid()).orElseThrow();
    qemu.close();
    assertThat(handle.isAlive()).isFalse();
    assertThat(qemu.await().kind()).isEqualTo(QemuOutcome.Kind.STOPPED);
    qemu.close();
  }

  @Test
  void aStarterThatIsInterruptedLeavesNothingRunning() throws Exception {
    Path report = folder.resolve("report");
    QemuCommand command =
        new QemuCommand(
            new QemuInstallation(List.of("/bin/sleep", "600"), "0"),
            Optional.of(report),
            List.of());
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> QemuProcess.start(command, LONG, new QemuListener() {}))
        .isInstanceOf(InterruptedException.class);
    // Its report's socket is there for as long as it runs, or is about to.
    assertThat(report).doesNotExist();
  }

  @Test
  void theProcessHasASessionOfItsOwnSoThatCtrlCReachesThisJvmAlone() throws Exception {
    // Fields 1 and 6 of /proc/PID/stat: the process and its session (proc_pid_stat(5)).
    QemuOutcome outcome = run("cut -d' ' -f1,6 /proc/$$/stat", LONG);
    assertThat(outcome.console().getFirst()).matches("([0-9]+) \\1");
  }

  @Test
  void keysReachTheConsole() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    QemuListener listener =
        new QemuListener() {
          @Override
          public void consoleLine(String line) {
            asked.countDown();
          }
        };
    try (QemuProcess qemu =
        QemuProcess.start(command("echo '#'; read -r x; echo got $x"), LONG, listener)) {
      asked.await();
      qemu.consoleInput().write("ls\n".getBytes(UTF_8));
      qemu.consoleInput().flush();
      assertThat(qemu.await().console()).containsExactly("#", "got ls");
    }
  }

  @Test
  void aProgramThatIsNotThereIsNamed() throws Exception {
    QemuCommand command =
        new QemuCommand(
            new QemuInstallation(List.of("/nowhere/qemu"), "0"), Optional.empty(), List.of());
    // setsid and setpriv start, and fail to start it.
    try (QemuProcess qemu = QemuProcess.start(command, LONG, new QemuListener() {})) {
      QemuOutcome outcome = qemu.await();
      assertThat(outcome.kind()).isEqualTo(QemuOutcome.Kind.FAILED);
      assertThat(outcome.description()).contains("/nowhere/qemu");
    }
  }

  @Test
  void aReportSocketThatIsTakenIsNamed() throws IOException {
    Path socket = Files.writeString(folder.resolve("report"), "");
    QemuCommand command =
        new QemuCommand(
            new QemuInstallation(List.of("/bin/true"), "0"), Optional.of(socket), List.of());
    assertThatThrownBy(() -> QemuProcess.start(command, LONG, new QemuListener() {}))
        .isInstanceOf(KitException.class)
        .hasMessageContaining(socket.toString());
  }

  @Test
  void aQemuThatNeverOpensItsReportStillEnds() throws Exception {
    QemuCommand command =
        new QemuCommand(
            new QemuInstallation(List.of("/bin/true"), "0"),
            Optional.of(folder.resolve("report")),
            List.of());
    ByteArrayOutputStream report = new ByteArrayOutputStream();
    QemuListener listener =
        new QemuListener() {
          @Override
          public void report(byte[] bytes, int count) {
            report.write(bytes, 0, count);
          }
        };
    try (QemuProcess qemu = QemuProcess.start(command, LONG, listener)) {
      assertThat(qemu.await().kind()).isEqualTo(QemuOutcome.Kind.POWERED_OFF);
      assertThat(report.size()).isZero();
    }
  }

  @Test
  void theNextQemuMayHaveTheReportsSocket() throws Exception {
    QemuCommand command =
        new QemuCommand(
            new QemuInstallation(List.of("/bin/true"), "0"),
            Optional.of(folder.resolve("report")),
            List.of());
    for (int i = 0; i < 2; i++) {
      try (QemuProcess qemu = QemuProcess.start(command, LONG, new QemuListener() {})) {
        assertThat(qemu.await().kind()).isEqualTo(QemuOutcome.Kind.POWERED_OFF);
      }
    }
    assertThat(folder.resolve("report")).doesNotExist();
  }

  private QemuOutcome run(String script, QemuLimits limits) throws Exception {
    try (QemuProcess qemu = QemuProcess.start(command(script), limits, new QemuListener() {})) {
      return qemu.await();
    }
  }

  private static QemuCommand command(String script) {
    return new QemuCommand(
        new QemuInstallation(List.of("/bin/sh", "-c", script), "0"), Optional.empty(), List.of());
  }
}
