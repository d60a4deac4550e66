package dev.sluice.testkit.vfiouser;

import java.util.logging.Level;
import java.util.logging.Logger;

/// What a server logs about clients that a test made to misbehave.
final class ServerLog {
  /// Kept, because a level is forgotten with its logger.
  private static final Logger LOGGER = Logger.getLogger("dev.sluice.vfiouser");

  private ServerLog() {}

  /// Thousands of warnings about what is meant to be wrong would hide one that is not.
  static void silence() {
    LOGGER.setLevel(Level.OFF);
  }
}
