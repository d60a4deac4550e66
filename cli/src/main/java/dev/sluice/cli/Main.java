package dev.sluice.cli;

import dev.sluice.vm.Bench;
import dev.sluice.vm.Boot;
import dev.sluice.vm.BootException;
import dev.sluice.vm.BootOptions;
import dev.sluice.vm.Serve;
import dev.sluice.vm.replay.Replay;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// The `sluice` command: picks the subcommand and turns its outcome into an exit status.
///
/// Exit status 0: it worked. 1: it ran and failed, or a check failed. 2: the command line is wrong.
/// 130: Ctrl-C ended it.
@Command(
    name = "sluice",
    description = "A software IOMMU and DMA layer for the JVM.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "The launcher adds:",
      "  test [--all]   Runs every test, the real guest's included; with --all the",
      "                 long ones, too.",
      "  bench          Measures what accesses, mappings and invalidations cost.",
      "",
      "'sluice COMMAND --help' tells more."
    })
public final class Main implements Callable<Integer> {
  @Spec private CommandSpec spec;

  Main() {}

  /// Runs the command and ends the process with its exit status.
  public static void main(String[] args) {
    Terminal out = Terminal.ofStandardOutput();
    Terminal err = Terminal.ofStandardError();
    Path logs = LogFolder.of(System.getenv(), Path.of(System.getProperty("user.home")));
    CommandLine sluice =
        commandLine(
            new BootCommand(Boot::run, Bench::run, logs, out, err),
            new ServeCommand(Main::serve, err),
            new ReplayCommand(Replay::spapr, out));
    Help.Ansi ansi = out.colours() && err.colours() ? Help.Ansi.ON : Help.Ansi.OFF;
    // One that can tell whether it took everything, as picocli's own cannot.
    sluice.setOut(new PrintWriter(System.out, true, System.out.charset()));
    System.exit(sluice.setColorScheme(Help.defaultColorScheme(ansi)).execute(args));
  }

  private static Server.Open serve(BootOptions options, Path folder, Consumer<String> events)
      throws BootException {
    Serve serve = Serve.start(options, folder, events);
    return new Server.Open() {
      @Override
      public List<String> qemuArguments() {
        return serve.qemuArguments();
      }

      @Override
      public List<String> kernelArguments() {
        return serve.kernelArguments();
      }

      @Override
      public void close() {
        serve.close();
      }
    };
  }

  /// The whole command line.
  ///
  /// @param subcommands the commands
  static CommandLine commandLine(Object... subcommands) {
    CommandLine sluice = new CommandLine(new Main());
    for (Object subcommand : subcommands) {
      sluice.addSubcommand(subcommand);
    }
    return sluice
        .setParameterExceptionHandler(CommandErrors::wrongParameter)
        .setExecutionExceptionHandler(CommandErrors::unexpected);
  }

  /// Without a subcommand there is nothing to do: says which there are.
  @Override
  public Integer call() {
    CommandLine sluice = spec.commandLine();
    sluice.getErr().println("Which command? See the list below.");
    sluice.usage(sluice.getErr());
    return spec.exitCodeOnInvalidInput();
  }
}
