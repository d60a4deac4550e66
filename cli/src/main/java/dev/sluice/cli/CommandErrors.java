package dev.sluice.cli;

import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/// What a user is told when a command could not be run.
final class CommandErrors {
  private CommandErrors() {}

  /// The command line is wrong: says how, and where the right ones are listed.
  static int wrongParameter(ParameterException error, String[] args) {
    CommandLine command = error.getCommandLine();
    PrintWriter err = command.getErr();
    err.println(command.getColorScheme().errorText("sluice: " + error.getMessage()));
    UnmatchedArgumentException.printSuggestions(error, err);
    err.println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
    err.flush();
    return command.getCommandSpec().exitCodeOnInvalidInput();
  }

  /// A defect of Sluice.
  static int unexpected(Exception error, CommandLine command, ParseResult parsed) {
    PrintWriter err = command.getErr();
    err.println(
        command
            .getColorScheme()
            .errorText("sluice: this is a defect of Sluice; please report it:"));
    error.printStackTrace(err);
    err.flush();
    return command.getCommandSpec().exitCodeOnExecutionException();
  }
}
