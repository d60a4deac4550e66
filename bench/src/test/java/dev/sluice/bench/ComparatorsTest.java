package dev.sluice.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ComparatorsTest {
  private static final CRow ROW = CRow.of("hit", 64, "C: look-up");

  @TempDir private Path folder;

  @Test
  void readsANumberALine() throws IOException {
    assertThat(Comparators.parse(ROW, 2, "1.5\n2\n")).containsExactly(1.5, 2.0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "1.5\n", "1\n2\n3\n", "1\n0\n", "1\n-2\n", "1\nnan\n", "1\nNaN\n"})
  void refusesAnythingElse(String said) {
    assertThatIOException()
        .isThrownBy(() -> Comparators.parse(ROW, 2, said))
        .withMessageStartingWith("C: look-up: ");
  }

  @Test
  void aFailureSaysWhatTheProgramSaid() throws IOException {
    Path program = folder.resolve("comparators");
    Files.writeString(program, "#!/bin/sh\necho 'out of luck' >&2\nexit 3\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));

    assertThatIOException()
        .isThrownBy(() -> new Comparators(program).run(ROW, 2, 1))
        .withMessage("C: look-up: exit status 3: out of luck");
  }
}
