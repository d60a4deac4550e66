package dev.sluice.vm.kit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DebianArchiveTest {
  @TempDir private Path etcApt;
  private Path keyring;

  @BeforeEach
  void makeConfiguration() throws IOException {
    Files.createDirectory(etcApt.resolve("sources.list.d"));
    keyring = Files.writeString(etcApt.resolve("keyring.gpg"), "keys");
  }

  @Test
  void aDeb822StanzaIsUnderstood() throws IOException {
    part(
        "debian.sources",
        """
        # The distribution
        Types: deb deb-src
        URIs: http://archive.example/debian
        Suites: bookworm
         bookworm-updates
        Components: main contrib
        Signed-By: %s
        """);
    assertThat(DebianArchive.find(etcApt))
        .isEqualTo(new DebianArchive("http://archive.example/debian", keyring));
  }

  @Test
  void aOneLineSourceIsUnderstood() throws IOException {
    part(
        "debian.list",
        "deb [arch=amd64 signed-by=%s] https://archive.example/debian trixie main # comment\n");
    assertThat(DebianArchive.find(etcApt).uri()).isEqualTo("https://archive.example/debian");
  }

  @Test
  void theMainFileComesFirst() throws IOException {
    Files.writeString(
        etcApt.resolve("sources.list"),
        "deb [signed-by=" + keyring + "] http://first.example/debian sid main\n");
    part("debian.list", "deb [signed-by=%s] http://second.example/debian trixie main\n");
    assertThat(DebianArchive.find(etcApt).uri()).isEqualTo("http://first.example/debian");
  }

  @Test
  void whatIsNotDebiansMainArchiveIsPassedOver() throws IOException {
    part(
        "a.list",
        """
        # deb [signed-by=%1$s] http://commented.example/debian trixie main
        deb-src [signed-by=%1$s] http://source.example/debian trixie main
        deb [signed-by=%1$s] http://security.example/debian-security trixie-security main
        deb [signed-by=%1$s] http://other.example/apt nodistro main
        deb [signed-by=%1$s] http://free.example/debian trixie contrib
        deb [signed-by=%1$s] file:/media/cdrom trixie main
        """);
    part(
        "b.sources",
        """
        Types: deb
        URIs: http://disabled.example/debian
        Suites: trixie
        Components: main
        Enabled: no

        Types: deb
        URIs: http://right.example/debian
        Suites: trixie
        Components: main
        Signed-By: %s
        """);
    part("c.list.disabled", "deb [signed-by=%s] http://off.example/debian trixie main\n");
    assertThat(DebianArchive.find(etcApt).uri()).isEqualTo("http://right.example/debian");
  }

  @Test
  void aMachineWithoutDebiansArchiveIsToldWhatToDo() {
    assertThatThrownBy(() -> DebianArchive.find(etcApt))
        .isInstanceOfSatisfying(
            KitException.class, e -> assertThat(e.advice()).contains("--guest in-process"));
    assertThatThrownBy(() -> DebianArchive.find(etcApt.resolve("nowhere")))
        .isInstanceOf(KitException.class);
  }

  private void part(String name, String text) throws IOException {
    Files.writeString(etcApt.resolve("sources.list.d").resolve(name), text.formatted(keyring));
  }
}
