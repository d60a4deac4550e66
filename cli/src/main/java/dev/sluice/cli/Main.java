package dev.sluice.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// The `sluice` command: picks the subcommand and turns its outcome into an exit status.
///
/// Exit status 0: it worked. 1: it ran and failed, or a check failed. 2: the command line is wrong.
@Command(
    name = "sluice",
    description = "A software IOMMU and DMA layer for the JVM.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    footer = {
      "",
      "The launcher adds:",
      "  test [--all]   every test, the real guest's included (--all: the long ones too)"
    })
public final class Main implements Runnable {
  @Spec private CommandSpec spec;

  Main() {}

  /// Runs the command and ends the process with its exit status.
  public static void main(String[] args) {
    System.exit(commandLine().execute(args));
  }

  static CommandLine commandLine() {
    return new CommandLine(new Main());
  }

  /// Without a subcommand there is nothing to do: says which there are.
  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "Which command? See the list below.");
  }
}
