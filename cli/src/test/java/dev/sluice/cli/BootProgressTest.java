package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.vm.BootReport.Stage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BootProgressTest {
  private static final Terminal REDRAWS = new Terminal(true, false);

  @TempDir private Path folder;

  private final StringWriter shown = new StringWriter();
  private final BootLog log = new BootLog();
  private long now = 1_000_000_000L;

  @Test
  void writesOneLineAStageWhereNothingCanBeRedrawn() {
    BootProgress progress = progress(Terminal.NONE, false);
    progress.stage("kit");
    pass(3_200);
    progress.stage("guest");
    pass(10_040);
    progress.end("");
    assertThat(shown).hasToString("kit ... 3.2 s\nguest ... 10.0 s\n");
  }

  @Test
  void writesTheStageBeforeItEndsSoThatAHangingOneIsSeen() {
    progress(Terminal.NONE, false).stage("kit");
    assertThat(shown).hasToString("kit ...");
  }

  @Test
  void drawsNothingAgainWhereThatIsNotPermitted() {
    BootProgress progress = progress(Terminal.NONE, false);
    progress.stage("kit");
    progress.progress(0.5, "linux.deb");
    progress.tick();
    progress.end("");
    assertThat(shown).hasToString("kit ... 0.0 s\n");
  }

  @Test
  void redrawsTheStageWithItsTimePercentageAndDetail() {
    BootProgress progress = progress(REDRAWS, false);
    progress.stage("kit");
    pass(1_500);
    progress.progress(0.424, "linux.deb");
    shown.getBuffer().setLength(0);
    progress.tick();
    assertThat(shown).hasToString("\r\u001b[K\u001b[?7lkit ... 1.5 s   42 %  linux.deb\u001b[?7h");
  }

  @Test
  void showsNoPercentageThatNobodyKnows() {
    BootProgress progress = progress(REDRAWS, false);
    progress.stage("kit");
    progress.progress(-1, "");
    shown.getBuffer().setLength(0);
    progress.tick();
    assertThat(shown).hasToString("\r\u001b[K\u001b[?7lkit ... 0.0 s\u001b[?7h");
  }

  @Test
  void forgetsThePercentageWithItsStage() {
    BootProgress progress = progress(REDRAWS, false);
    progress.stage("kit");
    progress.progress(0.9, "linux.deb");
    progress.stage("guest");
    shown.getBuffer().setLength(0);
    progress.tick();
    assertThat(shown.toString()).contains("guest").doesNotContain("%", "linux.deb");
  }

  @Test
  void leavesAFinishedLineForEachStage() {
    BootProgress progress = progress(REDRAWS, false);
    progress.stage("kit");
    pass(100);
    progress.end("failed");
    assertThat(shown.toString()).endsWith("\r\u001b[Kkit ... 0.1 s failed\n");
  }

  @Test
  void drawsNothingAfterTheEnd() {
    BootProgress progress = progress(REDRAWS, true);
    progress.stage("kit");
    progress.end("");
    shown.getBuffer().setLength(0);
    progress.tick();
    progress.console("late");
    assertThat(shown.toString()).isEmpty();
  }

  @Test
  void showsTheConsoleOnlyWhenAskedAndKeepsItAnyhow() {
    BootProgress quiet = progress(Terminal.NONE, false);
    quiet.console("Linux version 7");
    assertThat(shown.toString()).isEmpty();
    progress(Terminal.NONE, true).console("Freeing unused kernel image");
    assertThat(shown).hasToString("  | Freeing unused kernel image\n");
    assertThat(log.tail()).containsExactly("Linux version 7", "Freeing unused kernel image");
  }

  @Test
  void aLineBetweenDoesNotTearTheStageApart() {
    BootProgress progress = progress(Terminal.NONE, true);
    progress.stage("guest");
    progress.console("hello");
    progress.note("there is no KVM here");
    progress.end("");
    assertThat(shown)
        .hasToString("guest ...\n  | hello\nNote: there is no KVM here\nguest ... 0.0 s\n");
  }

  @Test
  void showsWarningsUpToALimitAndKeepsEverythingThatIsLogged() throws IOException {
    BootProgress progress = progress(Terminal.NONE, false);
    progress.log(System.Logger.Level.DEBUG, "starting QEMU");
    for (int i = 0; i < 2 * BootProgress.MAX_WARNINGS; i++) {
      progress.log(System.Logger.Level.WARNING, "message " + i);
    }
    assertThat(shown.toString().lines())
        .hasSize(BootProgress.MAX_WARNINGS)
        .startsWith("Warning: message 0");
    assertThat(Files.readAllLines(log.save(folder)))
        .contains("DEBUG: starting QEMU", "WARNING: message 39");
  }

  @Test
  void remembersTheStagesForABootThatFails() {
    BootProgress progress = progress(Terminal.NONE, false);
    assertThat(progress.currentStage()).isEmpty();
    progress.stage("kit");
    pass(250);
    progress.stage("guest");
    assertThat(progress.currentStage()).hasValue("guest");
    pass(500);
    progress.end("failed");
    assertThat(progress.currentStage()).hasValue("guest");
    assertThat(progress.stages())
        .containsExactly(
            new Stage("kit", Duration.ofMillis(250)), new Stage("guest", Duration.ofMillis(500)));
    assertThat(progress.wall()).isEqualTo(Duration.ofMillis(750));
  }

  @Test
  void isSilentOnceTheGuestHasTheTerminal() {
    ByteArrayOutputStream screen = new ByteArrayOutputStream();
    try (GuestTerminal guest =
        new GuestTerminal(InputStream.nullInputStream(), screen, false, () -> {})) {
      BootProgress progress =
          new BootProgress(
              new PrintWriter(shown), REDRAWS, true, log, Optional.of(guest), () -> now);
      progress.stage("guest");
      progress.shell(new ByteArrayOutputStream());
      shown.getBuffer().setLength(0);
      progress.stage("shell");
      progress.tick();
      progress.console("typed");
      progress.terminal(new byte[] {'#', ' '}, 1);
      progress.end("");
    }
    assertThat(shown.toString()).isEmpty();
    assertThat(screen.toString(StandardCharsets.US_ASCII)).endsWith("\r\n#");
  }

  private BootProgress progress(Terminal terminal, boolean verbose) {
    return new BootProgress(
        new PrintWriter(shown), terminal, verbose, log, Optional.empty(), () -> now);
  }

  private void pass(long millis) {
    now += millis * 1_000_000;
  }
}
