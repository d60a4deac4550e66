package dev.sluice.cli;

import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/// A whole `sluice` whose guest never ends by itself, for [InterruptionTest] to run in a process of
/// its own.
final class HangingBoot {
  private HangingBoot() {}

  public static void main(String[] args) {
    Booter hangs =
        (_, listener) -> {
          listener.stage("guest");
          new CountDownLatch(1).await();
          return SampleReports.passed();
        };
    Bencher none = (_, _) -> SampleReports.measured();
    BootCommand boot = new BootCommand(hangs, none, Path.of("logs"), Terminal.NONE, Terminal.NONE);
    System.exit(Main.commandLine(boot).execute(args));
  }
}
