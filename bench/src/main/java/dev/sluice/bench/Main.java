package dev.sluice.bench;

import dev.sluice.bench.Arguments.WrongUsage;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.OperatingSystemMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.runner.RunnerException;

/// `sluice bench [--quick] [--json[=FILE]]`: measures everything beside what it is compared with,
/// and prints a table.
public final class Main {
  private static final String COMMAND = "sluice bench: ";

  private final PrintStream out;
  private final PrintStream err;
  private final Map<String, String> environment;
  private final List<Measurement> plan;

  Main(PrintStream out, PrintStream err, Map<String, String> environment, List<Measurement> plan) {
    this.out = out;
    this.err = err;
    this.environment = environment;
    this.plan = plan;
  }

  /// Exit status 0: measured, whatever the targets. 1: something failed. 2: wrong usage. 130:
  /// Ctrl-C.
  public static void main(String[] words) throws InterruptedException {
    // Its lock file in the common temporary folder would stay behind.
    System.setProperty("jmh.ignoreLock", "true");
    System.exit(new Main(System.out, System.err, System.getenv(), Plan.rows()).run(words));
  }

  int run(String... words) throws InterruptedException {
    Arguments arguments;
    try {
      arguments = Arguments.parse(words);
    } catch (WrongUsage e) {
      err.println(COMMAND + e.getMessage());
      err.print(Arguments.USAGE);
      return 2;
    }
    if (arguments.help()) {
      out.print(Arguments.USAGE);
      return 0;
    }
    Path json = arguments.json();
    try (Workspace workspace = Workspace.open()) {
      if (json != null && !arguments.outputIsForRows()) {
        tryOut(json);
      }
      return measure(arguments, workspace);
    } catch (IOException e) {
      if (!Workspace.exiting()) {
        err.println(COMMAND + e.getMessage());
      }
      return 1;
    } catch (RuntimeException e) {
      if (!Workspace.exiting()) {
        throw e;
      }
      return 1;
    }
  }

  /// Finds out now rather than after minutes. Leaves nothing, as there are no rows yet.
  private static void tryOut(Path file) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    if (Files.isDirectory(file)) {
      throw new IOException("cannot write to " + file + ": it is a folder");
    }
    if (folder == null || !Files.isDirectory(folder)) {
      throw new IOException("cannot write to " + file + ": there is no folder for it");
    }
    if (!Files.isWritable(Files.exists(file) ? file : folder)) {
      throw new IOException("cannot write to " + file + ": no permission");
    }
  }

  /// Time on a processor is what counts, but caches and percentiles suffer.
  private void tellIfBusy() {
    OperatingSystemMXBean system = ManagementFactory.getOperatingSystemMXBean();
    double load = system.getSystemLoadAverage();
    int processors = system.getAvailableProcessors();
    if (load > processors) {
      tell(
          String.format(
              Locale.ROOT,
              "the machine is busy (load average %.1f on %d processors): numbers will be rough",
              load,
              processors));
    }
  }

  private int measure(Arguments arguments, Workspace workspace)
      throws IOException, InterruptedException {
    Path log = workspace.folder().resolve("jmh.log");
    try {
      JmhRunner jmh = new JmhRunner(arguments.effort(), log);
      tellIfBusy();
      Bench bench = new Bench(jmh, arguments.effort(), comparators(workspace), this::tell);
      List<Row> rows = bench.run(plan);
      PrintStream forPeople = arguments.outputIsForRows() ? err : out;
      forPeople.println();
      Table.of(rows).forEach(forPeople::println);
      write(rows, arguments);
      return 0;
    } catch (RunnerException e) {
      if (!Workspace.exiting()) {
        err.println(COMMAND + "a benchmark failed: " + e.getMessage());
        err.print(Files.readString(log));
      }
      return 1;
    }
  }

  private void write(List<Row> rows, Arguments arguments) throws IOException {
    Path json = arguments.json();
    if (arguments.outputIsForRows()) {
      out.print(JsonRows.of(rows));
    } else if (json != null) {
      Files.writeString(json, JsonRows.of(rows));
    }
  }

  private void tell(String what) {
    err.println(COMMAND + what);
  }

  private @Nullable Comparators comparators(Workspace workspace)
      throws IOException, InterruptedException {
    Optional<CCompiler> compiler = CCompiler.find(environment.getOrDefault("PATH", ""));
    if (compiler.isEmpty()) {
      tell(
          "there is no C compiler (gcc or cc) in PATH: Java's rows only, nothing beside them in C");
      return null;
    }
    return new Comparators(compiler.get().compile(workspace.folder()));
  }
}
