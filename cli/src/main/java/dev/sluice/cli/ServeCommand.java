package dev.sluice.cli;

import dev.sluice.vm.BootException;
import dev.sluice.vm.BootOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `sluice serve`: the platform behind its sockets, for a QEMU that the user starts.
@Command(
    name = "serve",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false,
    customSynopsis = "sluice serve [OPTION...]",
    header = "Opens the devices' sockets for a QEMU of your own, and prints its arguments.",
    description = {
      "",
      "The disk, the test device and the IOMMU wait on one vfio-user socket each. Paste the"
          + " printed arguments into the command line of a QEMU 10.1 or newer, add a kernel, and"
          + " add the printed words to the kernel's command line. Guests may come and go; the"
          + " disk keeps what they write until Ctrl-C ends the command.",
      ""
    },
    optionListHeading = "Options:%n",
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "1:the sockets could not be opened",
      "2:the command line is wrong",
      "130:ended by Ctrl-C, its usual end"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  Sockets in a folder of their own:",
      "    sluice serve",
      "  A disk of your own, sockets where you want them:",
      "    sluice serve --disk my.img --sockets /run/user/1000/sluice",
      "  The arguments for a script:",
      "    sluice serve --json | jq -r '.qemuArguments[]'"
    })
final class ServeCommand implements Callable<Integer> {
  private static final int FAILED = 1;

  private static final FileAttribute<Set<PosixFilePermission>> FOR_THIS_USER =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  @Spec private CommandSpec spec;

  @Mixin private PlatformOptions platform;

  @Option(
      names = "--sockets",
      paramLabel = "FOLDER",
      description =
          "Where the sockets go, a folder that exists, with a short path: a socket's has 107 bytes"
              + " at most. Default: a new folder for temporary files, which goes with the command.")
  private @Nullable Path sockets;

  @Option(
      names = "--json",
      arity = "0..1",
      fallbackValue = JsonTarget.STANDARD_OUTPUT,
      paramLabel = "FILE",
      description =
          "Writes the arguments as one line of JSON: to FILE, or without one to standard output "
              + "and nothing else there.")
  private @Nullable String json;

  private final Server server;
  private final Terminal errTerminal;

  /// @param server what opens the sockets
  /// @param errTerminal what standard error permits
  ServeCommand(Server server, Terminal errTerminal) {
    this.server = server;
    this.errTerminal = errTerminal;
  }

  @Override
  public Integer call() {
    PrintWriter err = spec.commandLine().getErr();
    Optional<JsonTarget> target = JsonTarget.wanted(json, spec.commandLine());
    try (Interruption _ = Interruption.ofThisThread();
        Loggers.Redirection _ = Loggers.sendTo(this::log)) {
      try {
        // Absolute, since the arguments may be pasted in another folder.
        return sockets != null
            ? serve(sockets.toAbsolutePath().normalize(), target)
            : serveInNewFolder(target);
      } catch (BootException e) {
        if (Thread.interrupted()) {
          // What failed was a file operation that Ctrl-C broke off.
          event("ended before the sockets were open");
          return Interruption.STATUS;
        }
        BootFailure.of(e, Optional.empty(), List.of(), Optional.empty())
            .lines(errTerminal)
            .forEach(err::println);
        err.flush();
        return FAILED;
      }
    }
  }

  private int serveInNewFolder(Optional<JsonTarget> target) throws BootException {
    Path folder;
    try {
      folder = Files.createTempDirectory("sluice-", FOR_THIS_USER);
    } catch (IOException e) {
      throw new BootException(
          "cannot make a folder for the sockets: " + e.getMessage(),
          "Name one that you can write to with --sockets.",
          e);
    }
    try {
      return serve(folder, target);
    } finally {
      try {
        Files.deleteIfExists(folder);
      } catch (IOException e) {
        event("the folder " + folder + " stays: " + e.getMessage());
      }
    }
  }

  private int serve(Path folder, Optional<JsonTarget> target) throws BootException {
    try (Server.Open open = server.open(options(), folder, this::event)) {
      if (target.isPresent()) {
        target.get().write(ServeJson.of(open.qemuArguments(), open.kernelArguments()));
      }
      if (target.filter(JsonTarget.Stream.class::isInstance).isEmpty()) {
        PrintWriter out = spec.commandLine().getOut();
        lines(open).forEach(out::println);
        out.flush();
      }
      new CountDownLatch(1).await();
    } catch (InterruptedException _) {
      event("ended; the sockets are closed");
    } catch (IOException e) {
      event("the arguments could not be written as JSON: " + e);
      return FAILED;
    }
    return Interruption.STATUS;
  }

  private static List<String> lines(Server.Open open) {
    List<String> command = new ArrayList<>(List.of("qemu-system-x86_64"));
    command.addAll(open.qemuArguments());
    List<String> lines = new ArrayList<>();
    lines.add("The sockets are open. Start a QEMU of 10.1 or newer with these arguments:");
    lines.add("");
    ShellWords.lines(command).forEach(line -> lines.add("  " + line));
    lines.add("");
    if (!open.kernelArguments().isEmpty()) {
      lines.add("and a guest whose kernel has these words on its command line:");
      lines.add("");
      lines.add("  " + ShellWords.line(open.kernelArguments()));
      lines.add("");
    }
    lines.add("Ctrl-C closes the sockets.");
    return lines;
  }

  private BootOptions options() {
    BootOptions defaults = BootOptions.defaults();
    return new BootOptions(
        defaults.guest(),
        platform.iommu(),
        platform.invalidation(defaults.invalidation()),
        platform.disk(),
        defaults.kernel(),
        defaults.initrd(),
        defaults.append(),
        platform.memoryMib(),
        defaults.accelerator(),
        defaults.interactive(),
        defaults.offline(),
        defaults.patience());
  }

  private void log(System.Logger.Level level, String line) {
    if (level.getSeverity() >= System.Logger.Level.WARNING.getSeverity()) {
      event(line);
    }
  }

  private void event(String sentence) {
    PrintWriter err = spec.commandLine().getErr();
    synchronized (err) {
      err.println("sluice: " + sentence);
      err.flush();
    }
  }
}
