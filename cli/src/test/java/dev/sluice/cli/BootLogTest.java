package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BootLogTest {
  @TempDir private Path folder;

  private final BootLog log = new BootLog();

  @Test
  void theTailIsTheLastLinesOfTheConsole() {
    IntStream.range(0, 100).forEach(i -> log.console("line " + i));
    assertThat(log.tail())
        .hasSize(BootLog.TAIL_LINES)
        .startsWith("line " + (100 - BootLog.TAIL_LINES))
        .endsWith("line 99");
  }

  @Test
  void aFloodingGuestKeepsOnlyItsNewestLines() throws IOException {
    String line = "x".repeat(4095);
    log.event("stage guest");
    log.console("oldest");
    for (int i = 0; i < BootLog.MAX_CHARACTERS / 4096; i++) {
      log.console(line);
    }
    List<String> saved = Files.readAllLines(log.save(folder));
    assertThat(saved).contains("stage guest").doesNotContain("oldest");
    assertThat(saved.stream().filter(line::equals).count())
        .isEqualTo(BootLog.MAX_CHARACTERS / 4096);
  }

  @Test
  void savingMakesTheFolderAndWritesEventsBeforeTheConsole() throws IOException {
    log.console("Linux version 7");
    log.event("sluice boot");
    Path file = log.save(folder.resolve("a/b"));
    assertThat(file)
        .hasParent(folder.resolve("a/b"))
        .hasContent("sluice boot\n\nThe guest's console:\nLinux version 7");
  }

  @Test
  void onlyTheNewestLogsStayAndOtherFilesAreLeftAlone() throws IOException {
    Path other = Files.createFile(folder.resolve("a-file-of-somebody"));
    for (int i = 10; i < 10 + BootLog.MAX_FILES; i++) {
      Files.createFile(folder.resolve("boot-200001" + i + "-000000-1.log"));
    }
    Path newest = log.save(folder);
    assertThat(newest).exists();
    assertThat(other).exists();
    assertThat(folder.resolve("boot-20000110-000000-1.log")).doesNotExist();
    assertThat(folder.resolve("boot-20000111-000000-1.log")).exists();
  }
}
