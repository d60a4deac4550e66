package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LoggersTest {
  private final List<String> lines = new ArrayList<>();
  private final Loggers loggers = new Loggers();

  @Test
  void oursAreHeardFromDebugOnAndOthersFromWarningOn() {
    log("dev.sluice.vm.Boot", Level.TRACE, "1");
    log("dev.sluice.vm.Boot", Level.DEBUG, "2");
    log("jdk.event.security", Level.INFO, "3");
    log("jdk.event.security", Level.WARNING, "4");
    assertThat(lines).containsExactly("DEBUG 2", "WARNING 4");
  }

  @Test
  void parametersAreFilledInWithoutTheUsersLocale() {
    try (Loggers.Redirection _ = Loggers.sendTo(this::receive)) {
      loggers
          .getLogger("dev.sluice.x", getClass().getModule())
          .log(Level.INFO, "{0} of {1}", 1234, "x");
    }
    assertThat(lines).containsExactly("INFO 1,234 of x");
  }

  @Test
  void textInBracesWithoutParametersStaysAsItIs() {
    log("dev.sluice.x", Level.INFO, "-device '{\"driver\"}'");
    assertThat(lines).containsExactly("INFO -device '{\"driver\"}'");
  }

  @Test
  void anExceptionComesWithItsStack() {
    try (Loggers.Redirection _ = Loggers.sendTo(this::receive)) {
      loggers
          .getLogger("dev.sluice.x", getClass().getModule())
          .log(Level.ERROR, "it broke", new IllegalStateException("why"));
    }
    assertThat(lines.getFirst())
        .startsWith("ERROR it broke")
        .contains("java.lang.IllegalStateException: why", "at dev.sluice.cli.LoggersTest");
  }

  @Test
  void theReceiverBeforeIsBackAfterwards() {
    try (Loggers.Redirection _ = Loggers.sendTo(this::receive)) {
      try (Loggers.Redirection _ = Loggers.sendTo((_, _) -> {})) {
        loggers.getLogger("dev.sluice.x", getClass().getModule()).log(Level.INFO, "inner");
      }
      loggers.getLogger("dev.sluice.x", getClass().getModule()).log(Level.INFO, "outer");
    }
    assertThat(lines).containsExactly("INFO outer");
  }

  private void log(String name, Level level, String message) {
    try (Loggers.Redirection _ = Loggers.sendTo(this::receive)) {
      loggers.getLogger(name, getClass().getModule()).log(level, message);
    }
  }

  private void receive(Level level, String line) {
    lines.add(level + " " + line);
  }
}
