package dev.sluice.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class RunFolderTest {
  /// Another process that holds a lock until it is told to end.
  private static final String HOLDER =
      """
      import java.nio.channels.FileChannel;
      import java.nio.file.Path;
      import java.nio.file.StandardOpenOption;

      class Holder {
        public static void main(String[] args) throws Exception {
          try (var channel = FileChannel.open(Path.of(args[0]), StandardOpenOption.WRITE);
              var lock = channel.lock()) {
            System.out.println("held");
            System.in.read();
          }
        }
      }
      """;

  @TempDir Path parent;

  @Test
  void theFolderGoesWithTheRun() throws Exception {
    Path path;
    try (RunFolder folder = RunFolder.create(parent)) {
      path = folder.path();
      Files.writeString(folder.file("disk"), "content");
      assertThat(path).isDirectory();
    }

    assertThat(path).doesNotExist();
  }

  @Test
  void aThreadThatIsToldToEndLeavesNoFolder() throws Exception {
    Thread.currentThread().interrupt();
    try (RunFolder folder = RunFolder.create(parent)) {
      assertThat(folder.path()).isDirectory();
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }

    assertThat(parent).isEmptyDirectory();
  }

  @Test
  void whatAKilledProcessLeftIsRemoved() throws Exception {
    Path left = leaveFolder("sluice-4711-1", true);

    try (RunFolder _ = RunFolder.create(parent)) {
      assertThat(left).doesNotExist();
    }
  }

  @Test
  @Timeout(60)
  void theFolderOfALivingProcessStays() throws Exception {
    Path used = leaveFolder("sluice-4711-1", true);
    Path program = Files.writeString(parent.resolve("Holder.java"), HOLDER);
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Process holder =
        new ProcessBuilder(java.toString(), program.toString(), used.resolve("lock").toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      assertThat(holder.inputReader().readLine()).isEqualTo("held");

      try (RunFolder _ = RunFolder.create(parent)) {
        assertThat(used.resolve("disk")).exists();
      }
    } finally {
      holder.destroyForcibly().waitFor();
    }
  }

  @Test
  void twoRunsOfOneProcessLeaveEachOtherAlone() throws Exception {
    try (RunFolder first = RunFolder.create(parent);
        RunFolder second = RunFolder.create(parent)) {
      assertThat(first.path()).isDirectory();
      assertThat(second.path()).isDirectory().isNotEqualTo(first.path());
    }
  }

  @Test
  void whatIsNotSurelyLeftOverStays() throws Exception {
    Path beingMade = leaveFolder("sluice-4711-1", false);
    Path other = leaveFolder("sluice-of-mine", true);
    Path linked = leaveFolder("elsewhere", true);
    Files.createSymbolicLink(parent.resolve("sluice-4711-2"), linked);

    try (RunFolder _ = RunFolder.create(parent)) {
      assertThat(beingMade.resolve("disk")).exists();
      assertThat(other.resolve("disk")).exists();
      assertThat(linked.resolve("disk")).exists();
    }
  }

  @Test
  void aMissingPlaceIsNamed() {
    assertThatThrownBy(() -> RunFolder.create(parent.resolve("none")))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("there is no folder " + parent.resolve("none"));
  }

  private Path leaveFolder(String name, boolean withLock) throws Exception {
    Path folder = Files.createDirectory(parent.resolve(name));
    Files.writeString(folder.resolve("disk"), "content");
    if (withLock) {
      Files.createFile(folder.resolve("lock"));
    }
    return folder;
  }
}
