package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShellWordsTest {
  @Test
  void harmlessWordsStayAsTheyAre() {
    assertThat(ShellWords.quote("q35,memory-backend=mem")).isEqualTo("q35,memory-backend=mem");
  }

  @Test
  void othersAreQuoted() {
    assertThat(ShellWords.quote("{\"driver\":\"x\"}")).isEqualTo("'{\"driver\":\"x\"}'");
    assertThat(ShellWords.quote("it's")).isEqualTo("'it'\\''s'");
    assertThat(ShellWords.quote("")).isEqualTo("''");
  }

  @Test
  void aNewLineBeginsAtEachOption() {
    assertThat(ShellWords.lines(List.of("qemu", "-M", "q35", "-nodefaults", "-m", "1 G")))
        .containsExactly("qemu \\", "  -M q35 \\", "  -nodefaults \\", "  -m '1 G'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a b", "it's", "$HOME", "`id`", "a\\b", "*", "", "\"", "ä", "-x", "a\nb"})
  void theShellReadsBackWhatWasQuoted(String word) throws Exception {
    List<String> lines = ShellWords.lines(List.of("printf", "%s", word));
    Process shell = new ProcessBuilder("sh", "-c", String.join("\n", lines)).start();
    assertThat(shell.getInputStream().readAllBytes()).asString().isEqualTo(word);
  }
}
