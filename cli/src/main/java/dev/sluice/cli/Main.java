package dev.sluice.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
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
      "  test [--all]   every test, the real guest's included (--all: the long ones too)",
      "",
      "'sluice COMMAND --help' tells more."
    })
public final class Main implements Callable<Integer> {
  @Spec private CommandSpec spec;

  Main() {}

  /// Runs the command and ends the process with its exit status.
  public static void main(String[] args) {
    System.exit(commandLine().execute(args));
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
