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
  /// @param home the user's home folder, where `$HOME` does not name one
  static Path of(Map<String, String> environment, Path home) {
    String state = environment.getOrDefault("XDG_STATE_HOME", "");
    // The specification has relative paths ignored.
    if (state.startsWith("/")) {
      return Path.of(state, "sluice");
    }
    String named = environment.getOrDefault("HOME", "");
    Path base = named.startsWith("/") ? Path.of(named) : home;
    return base.resolve(".local").resolve("state").resolve("sluice");
  }
}
