package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.vm.BootException;
import dev.sluice.vm.BootOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class ServeCommandTest {
  @TempDir private Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final List<String> happened = new ArrayList<>();
  private Server server = this::open;
  private @Nullable BootOptions opened;
  private @Nullable Path openedIn;

  @Test
  void printsWhatToPasteAndStaysUntilItIsInterrupted() {
    assertThat(serve("--sockets", folder.toString())).isEqualTo(130);
    assertThat(out)
        .hasToString(
            """
            The sockets are open. Start a QEMU of 10.1 or newer with these arguments:

              qemu-system-x86_64 \\
                -m 512M \\
                -device '{"driver":"vfio-user-pci"}'

            and a guest whose kernel has these words on its command line:

              intel_iommu=on intremap=off

            Ctrl-C closes the sockets.
            """);
    assertThat(happened).containsExactly("closed");
    assertThat(err)
        .hasToString("sluice: a client connected\nsluice: ended; the sockets are closed\n");
  }

  @Test
  void theOptionsReachTheServer() {
    serve("--sockets=" + folder, "--iommu=none", "--invalidation=lazy", "--disk=d", "--memory=1G");
    BootOptions defaults = BootOptions.defaults();
    assertThat(opened)
        .isEqualTo(
            new BootOptions(
                defaults.guest(),
                BootOptions.IommuKind.NONE,
                BootOptions.Invalidation.LAZY,
                Optional.of(Path.of("d")),
                defaults.kernel(),
                defaults.initrd(),
                defaults.append(),
                1024,
                defaults.accelerator(),
                defaults.interactive(),
                defaults.offline(),
                defaults.patience()));
    assertThat(openedIn).isEqualTo(folder);
  }

  @Test
  void aRelativeFolderIsMadeAbsoluteForWhoeverPastesTheArguments() {
    serve("--sockets=some/../where");
    assertThat(openedIn).isEqualTo(Path.of("where").toAbsolutePath());
  }

  @Test
  void withoutAFolderMakesOneForThisUserAndRemovesIt() throws Exception {
    server =
        (options, where, events) -> {
          happened.add(permissions(where));
          return open(options, where, events);
        };
    serve();
    assertThat(happened).containsExactly("rwx------", "closed");
    assertThat(openedIn).isNotNull().doesNotExist();
  }

  @Test
  void jsonIsOneLine() {
    serve("--json");
    assertThat(out)
        .hasToString(
            """
            {"qemuArguments":["-m","512M","-device","{\\"driver\\":\\"vfio-user-pci\\"}"],\
            "kernelArguments":["intel_iommu=on","intremap=off"]}
            """);
  }

  @Test
  void jsonInAFileLeavesStandardOutputToPeople() throws IOException {
    Path file = folder.resolve("arguments.json");
    serve("--json", file.toString());
    assertThat(out.toString()).startsWith("The sockets are open.");
    assertThat(file).content().startsWith("{\"qemuArguments\":[\"-m\"").endsWith("]}\n");
  }

  @Test
  void aJsonFileThatCannotBeWrittenIsFoundOutFirst() {
    assertThat(serve("--json=" + folder)).isEqualTo(2);
    assertThat(err.toString()).contains("cannot write --json " + folder + ": ");
    assertThat(opened).isNull();
  }

  @Test
  void socketsThatCannotBeOpenedAreAFailureWithAdvice() {
    server =
        (_, _, _) -> {
          throw new BootException("the socket is taken", "Name another folder.");
        };
    assertThat(serve()).isEqualTo(1);
    assertThat(err.toString())
        .contains("FAILED: the socket is taken\nWhat to do: Name another folder.\n");
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void whatFailsAsItIsInterruptedIsNoFailure() {
    server =
        (_, _, _) -> {
          Thread.currentThread().interrupt();
          throw new BootException("the disk was not written", "Free space.");
        };
    assertThat(serve()).isEqualTo(130);
    assertThat(err).hasToString("sluice: ended before the sockets were open\n");
  }

  @ParameterizedTest
  @CsvSource({"--memory=1", "--iommu=x", "--json=", "--kernel=k", "stray"})
  void aWrongOptionIsAUsageError(String option) {
    assertThat(serve(option)).isEqualTo(2);
    assertThat(err.toString()).contains("Try 'sluice serve --help'.");
    assertThat(opened).isNull();
  }

  @Test
  void helpListsOptionsExitCodesAndExamples() {
    assertThat(serve("--help")).isZero();
    assertThat(out.toString())
        .contains(
            "--sockets=FOLDER", "--json[=FILE]", "--disk=FILE", "--iommu=KIND", "--memory=SIZE")
        .contains("--invalidation=MODE", "Exit status:", "Examples:");
  }

  private Server.Open open(BootOptions options, Path where, Consumer<String> events) {
    opened = options;
    openedIn = where;
    events.accept("a client connected");
    // As Ctrl-C does, once the command waits for it.
    Thread.currentThread().interrupt();
    return new Server.Open() {
      @Override
      public List<String> qemuArguments() {
        return List.of("-m", "512M", "-device", "{\"driver\":\"vfio-user-pci\"}");
      }

      @Override
      public List<String> kernelArguments() {
        return List.of("intel_iommu=on", "intremap=off");
      }

      @Override
      public void close() {
        happened.add("closed");
      }
    };
  }

  private static String permissions(Path path) {
    try {
      return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private int serve(String... arguments) {
    CommandLine sluice =
        Main.commandLine(new ServeCommand(server, Terminal.NONE))
            .setOut(new PrintWriter(out))
            .setErr(new PrintWriter(err));
    List<String> all = new ArrayList<>(List.of("serve"));
    all.addAll(List.of(arguments));
    return sluice.execute(all.toArray(String[]::new));
  }
}
