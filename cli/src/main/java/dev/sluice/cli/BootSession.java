package dev.sluice.cli;

import dev.sluice.vm.BootException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/// One boot, or one benchmark, as its user sees it: progress, report or failure, JSON, exit status.
final class BootSession {
  private static final int PASSED = 0;
  private static final int FAILED = 1;

  /// Time between two drawings of the progress line: smooth, and nothing beside a guest's load.
  private static final long REDRAW_MILLIS = 100;

  /// Where everything goes.
  ///
  /// @param report the report for people
  /// @param reportTerminal what it permits
  /// @param err progress and failures
  /// @param errTerminal what it permits
  /// @param json the report for programs, if somebody wants it
  record Outputs(
      PrintWriter report,
      Terminal reportTerminal,
      PrintWriter err,
      Terminal errTerminal,
      Optional<JsonTarget> json) {}

  private final Outcome.Source source;
  private final Outputs outputs;
  private final Path logs;
  private final BootLog log = new BootLog();
  private final Optional<GuestTerminal> guestTerminal;
  private final BootProgress progress;

  /// @param source what boots
  /// @param interactive whether the user gets the guest's terminal
  /// @param outputs where everything goes
  /// @param logs the folder for the logs of failed boots
  /// @param verbose whether to show the guest's console
  BootSession(
      Outcome.Source source, boolean interactive, Outputs outputs, Path logs, boolean verbose) {
    this.source = source;
    this.outputs = outputs;
    this.logs = logs;
    Thread worker = Thread.currentThread();
    this.guestTerminal =
        interactive
            ? Optional.of(
                new GuestTerminal(
                    System.in, System.out, Terminal.isInputTerminal(), worker::interrupt))
            : Optional.empty();
    this.progress =
        new BootProgress(
            outputs.err(), outputs.errTerminal(), verbose, log, guestTerminal, System::nanoTime);
  }

  /// Boots, in the calling thread.
  ///
  /// @param arguments of the command, for the log
  /// @return the exit status
  int run(List<String> arguments) {
    log.event("sluice " + String.join(" ", arguments));
    try (Interruption _ = Interruption.ofThisThread();
        Loggers.Redirection _ = Loggers.sendTo(progress)) {
      return attempt();
    }
  }

  private int attempt() {
    try {
      return finished(boot());
    } catch (BootException e) {
      // The guest may have been ended by the same signal before this thread was told of it.
      return Interruption.isUnderWay() ? interrupted() : failed(e);
    } catch (InterruptedException _) {
      return interrupted();
    }
  }

  private Outcome boot() throws BootException, InterruptedException {
    String outcome = "failed";
    try (ScheduledExecutorService ticker =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("sluice-progress").factory())) {
      var _ =
          ticker.scheduleAtFixedRate(
              progress::tick, REDRAW_MILLIS, REDRAW_MILLIS, TimeUnit.MILLISECONDS);
      Outcome finished = source.run(progress);
      outcome = "";
      return finished;
    } catch (InterruptedException e) {
      outcome = "interrupted";
      throw e;
    } finally {
      guestTerminal.ifPresent(GuestTerminal::close);
      progress.end(outcome);
    }
  }

  private int finished(Outcome outcome) {
    print(outputs.report(), outcome.lines());
    if (!outcome.passed()) {
      print(outputs.err(), BootFailure.traces(log.tail(), save()));
    }
    boolean written = write(outcome.json());
    return outcome.passed() && written ? PASSED : FAILED;
  }

  private int failed(BootException e) {
    log.event("failed: " + e.getMessage() + System.lineSeparator() + e.advice());
    BootFailure failure = BootFailure.of(e, progress.currentStage(), log.tail(), save());
    print(outputs.err(), failure.lines(outputs.errTerminal()));
    write(ReportJson.of(failure, progress.stages(), progress.wall()));
    return FAILED;
  }

  private int interrupted() {
    String message =
        String.format(Locale.ROOT, "interrupted after %.1f s", progress.wall().toNanos() / 1e9);
    BootFailure failure =
        new BootFailure(
            progress.currentStage(), message, "Run it again.", log.tail(), Optional.empty());
    print(
        outputs.err(),
        List.of("", "sluice: " + message + "; the guest was ended and nothing is left running."));
    write(ReportJson.of(failure, progress.stages(), progress.wall()));
    return Interruption.STATUS;
  }

  private boolean write(String json) {
    try {
      if (outputs.json().isPresent()) {
        outputs.json().get().write(json);
      }
      return true;
    } catch (IOException e) {
      print(outputs.err(), List.of("sluice: the JSON report could not be written: " + e));
      return false;
    }
  }

  private Optional<Path> save() {
    try {
      return Optional.of(log.save(logs));
    } catch (IOException e) {
      print(outputs.err(), List.of("sluice: the log could not be written: " + e));
      return Optional.empty();
    }
  }

  private static void print(PrintWriter writer, List<String> lines) {
    lines.forEach(writer::println);
    writer.flush();
  }
}
