package dev.sluice.cli;

import java.nio.file.Path;
import java.util.Map;

/// Where the logs of failed boots go.
final class LogFolder {
  private LogFolder() {}

  /// `$XDG_STATE_HOME/sluice`, else `~/.local/state/sluice` (XDG base directory specification: logs
  /// are state).
  ///
  /// @param environment usually `System.getenv()`
  /// @param home the user's home folder
  static Path of(Map<String, String> environment, Path home) {
    String state = environment.getOrDefault("XDG_STATE_HOME", "");
    // The specification has relative paths ignored.
    Path base = state.startsWith("/") ? Path.of(state) : home.resolve(".local").resolve("state");
    return base.resolve("sluice");
  }
}
