package dev.sluice.vm.kit.linux;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LineSplitterTest {
  private final List<String> lines = new ArrayList<>();
  private final LineSplitter splitter = new LineSplitter(lines::add);

  @Test
  void linesAreCutWhereverTheBytesWere() {
    feed("on");
    feed("e\r\ntwo\n\nfo");
    feed("ur\n");
    assertThat(lines).containsExactly("one", "two", "", "four");
  }

  @Test
  void whatATerminalWouldObeyIsMadeVisible() {
    feed("a\u001b[2Jb\u0007c\u0000d\u00ffe\tf\n");
    assertThat(lines).containsExactly("a?[2Jb?c?d?e\tf");
  }

  @Test
  void aLineWithoutAnEndIsCutAtTheCap() {
    feed("x".repeat(LineSplitter.MAX_LINE + 10));
    assertThat(lines).hasSize(1);
    splitter.end();
    assertThat(lines).extracting(String::length).containsExactly(LineSplitter.MAX_LINE, 10);
  }

  @Test
  void theLastLineNeedsNoEnd() {
    feed("last");
    splitter.end();
    splitter.end();
    assertThat(lines).containsExactly("last");
  }

  private void feed(String text) {
    byte[] bytes = text.getBytes(ISO_8859_1);
    splitter.accept(bytes, bytes.length);
  }
}
