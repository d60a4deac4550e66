package dev.sluice.vm.kit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChildGuardTest {
  /// Starts a child that would live for an hour, while its JVM runs or while it ends, and tells
  /// what became of it.
  private static final String OWNER =
      """
      import dev.sluice.vm.kit.ChildGuard;
      import java.util.concurrent.TimeUnit;

      class Owner {
        public static void main(String[] args) throws Exception {
          if (args[0].equals("running")) {
            start();
          } else {
            if (args[0].equals("ending, and not the first")) {
              ChildGuard.of(new ProcessBuilder("true").start()).close();
            }
            Runtime.getRuntime().addShutdownHook(new Thread(Owner::startAndWait));
          }
        }

        static Process start() throws Exception {
          Process child = new ProcessBuilder("sleep", "3600").start();
          System.out.println(child.pid());
          ChildGuard.of(child);
          return child;
        }

        static void startAndWait() {
          try {
            start().waitFor(20, TimeUnit.SECONDS);
          } catch (Exception e) {
            throw new AssertionError(e);
          }
        }
      }
      """;

  @TempDir private Path folder;

  @Test
  void aChildEndsWithItsOwnersWork() throws Exception {
    Process child = new ProcessBuilder("sleep", "3600").start();
    try (ChildGuard _ = ChildGuard.of(child)) {
      assertThat(child.isAlive()).isTrue();
    }
    assertThat(child.waitFor(60, TimeUnit.SECONDS)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"running", "ending, and the first", "ending, and not the first"})
  @Timeout(60)
  void noChildOutlivesTheJvmWheneverItWasStarted(String when) throws Exception {
    Path program = Files.writeString(folder.resolve("Owner.java"), OWNER);
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Path classes =
        Path.of(ChildGuard.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    Process owner =
        new ProcessBuilder(java.toString(), "-cp", classes.toString(), program.toString(), when)
            .redirectErrorStream(true)
            .start();
    Optional<ProcessHandle> child = Optional.empty();
    try {
      String said = new String(owner.getInputStream().readAllBytes(), UTF_8).strip();

      assertThat(owner.waitFor()).isZero();
      assertThat(said).containsOnlyDigits();
      child = ProcessHandle.of(Long.parseLong(said)).filter(ProcessHandle::isAlive);
      assertThat(child).isEmpty();
    } finally {
      child.ifPresent(ProcessHandle::destroyForcibly);
      owner.destroyForcibly();
    }
  }
}
