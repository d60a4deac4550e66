package dev.sluice.cli;

import java.util.Map;
import java.util.Stack;
import picocli.CommandLine.IParameterPreprocessor;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;

/// Lets `--json` take a value with `=` only, in a command whose next word may be a parameter of its
/// own.
final class OnlyAttachedValue implements IParameterPreprocessor {
  /// What stood between the option and the word after it.
  private static final String SEPARATOR = "separator";

  OnlyAttachedValue() {}

  @Override
  @SuppressWarnings("JdkObsolete") // The interface has it.
  public boolean preprocess(
      Stack<String> args, CommandSpec command, ArgSpec option, Map<String, Object> info) {
    if (" ".equals(info.get(SEPARATOR))) {
      args.push(JsonTarget.STANDARD_OUTPUT);
    }
    return false;
  }
}
