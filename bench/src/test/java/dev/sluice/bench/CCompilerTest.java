package dev.sluice.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CCompilerTest {
  @TempDir private Path folder;
  private Path bin;
  private Path work;

  @BeforeEach
  void makeFolders() throws IOException {
    bin = Files.createDirectory(folder.resolve("bin"));
    work = Files.createDirectory(folder.resolve("work"));
  }

  @Test
  void thereIsNoneWhereNothingIs() {
    assertThat(CCompiler.find("")).isEmpty();
    assertThat(CCompiler.find(bin + File.pathSeparator + folder.resolve("missing"))).isEmpty();
  }

  @Test
  void prefersGccToCc() throws IOException {
    Path other = Files.createDirectory(folder.resolve("other"));
    program(bin.resolve("cc"), "exit 0");
    program(other.resolve("gcc"), "exit 0");

    assertThat(CCompiler.find(bin + File.pathSeparator + other))
        .contains(new CCompiler(other.resolve("gcc")));
    assertThat(CCompiler.find(bin.toString())).contains(new CCompiler(bin.resolve("cc")));
  }

  @Test
  void passesOverWhatCannotRun() throws IOException {
    Files.writeString(bin.resolve("gcc"), "a text");

    assertThat(CCompiler.find(bin.toString())).isEmpty();
  }

  @Test
  void givesTheCompilerEverySource() throws Exception {
    program(
        bin.resolve("gcc"),
        """
        for last; do :; done
        dir=$(dirname "$last")
        ls "$dir"/comparators.c "$dir"/stream.h "$dir"/tables.h "$dir"/tlb.h || exit 1
        while [ "$1" != -o ]; do shift; done
        printf '#!/bin/sh\\necho 1.5\\necho 2.5\\n' >"$2" && chmod +x "$2"
        """);

    Path made = new CCompiler(bin.resolve("gcc")).compile(work);

    assertThat(new Comparators(made).run(CRow.of("hit", 1, "C: look-up"), 2, 1))
        .containsExactly(1.5, 2.5);
  }

  @Test
  void triesWithoutTheOptionThatNotEveryCompilerHas() throws Exception {
    program(
        bin.resolve("cc"),
        """
        case "$*" in *-march=native*) echo 'unknown option' >&2; exit 1 ;; esac
        while [ "$1" != -o ]; do shift; done
        : >"$2" && chmod +x "$2"
        """);

    assertThat(new CCompiler(bin.resolve("cc")).compile(work)).isExecutable();
  }

  @Test
  void whatTheCompilerMakesBesidesIsInTheFolderToo() throws Exception {
    program(
        bin.resolve("gcc"),
        """
        : >"$TMPDIR/cc1.s" || exit 1
        while [ "$1" != -o ]; do shift; done
        : >"$2" && chmod +x "$2"
        """);

    new CCompiler(bin.resolve("gcc")).compile(work);

    assertThat(work.resolve("cc1.s")).exists();
  }

  @Test
  void saysWhatTheCompilerSaid() throws IOException {
    program(bin.resolve("gcc"), "echo 'stdio.h: no such file' >&2; exit 1");

    assertThatIOException()
        .isThrownBy(() -> new CCompiler(bin.resolve("gcc")).compile(work))
        .withMessageContaining(bin.resolve("gcc").toString())
        .withMessageContaining("stdio.h: no such file");
  }

  private static void program(Path path, String script) throws IOException {
    Files.writeString(path, "#!/bin/sh\n" + script + "\n");
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
