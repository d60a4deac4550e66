package dev.sluice.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/// `sluice bench [--quick] [--json FILE]`: runs all, prints a table with ratios.
public final class Main {
  private static final String USAGE =
      """
      usage: sluice bench [--quick] [--json FILE]
        --quick       short runs: minutes become seconds, and the numbers rough
        --json FILE   writes the rows {name, unit, score, error, comparedTo, ratio, bytesPerOp} there, too
      """;

  private Main() {}

  /// Exit status 0: measured. 1: a benchmark failed. 2: wrong usage.
  public static void main(String[] args) throws IOException {
    PrintStream out = System.out;
    boolean quick = false;
    Path json = null;
    for (int i = 0; i < args.length; i++) {
      switch (args[i]) {
        case "--quick" -> quick = true;
        case "--json" -> {
          if (++i == args.length) {
            usage("--json needs a file");
          }
          json = Path.of(args[i]);
        }
        case "--help", "-h" -> {
          out.print(USAGE);
          return;
        }
        default -> usage("unknown option " + args[i]);
      }
    }
    try {
      Collection<RunResult> results = run(quick);
      List<Row> rows = rows(results);
      print(out, rows);
      if (json != null) {
        write(json, rows);
      }
    } catch (RunnerException e) {
      System.err.println("sluice bench: a benchmark failed: " + e.getMessage());
      System.exit(1);
    }
  }

  private static void usage(String problem) {
    System.err.println("sluice bench: " + problem);
    System.err.print(USAGE);
    System.exit(2);
  }

  private static Collection<RunResult> run(boolean quick) throws RunnerException {
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include("dev\\.sluice\\.bench\\..*Benchmark\\..*")
            .addProfiler(GCProfiler.class)
            .verbosity(VerboseMode.NORMAL)
            .shouldFailOnError(true)
            .jvmArgsAppend("--enable-native-access=ALL-UNNAMED")
            .forks(quick ? 1 : 2)
            .warmupIterations(quick ? 2 : 5)
            .warmupTime(TimeValue.milliseconds(quick ? 300 : 1000))
            .measurementIterations(quick ? 3 : 5)
            .measurementTime(TimeValue.milliseconds(quick ? 300 : 1000));
    return new Runner(options.build()).run();
  }

  /// Each result with the one that it is compared to at the same parameter.
  private static List<Row> rows(Collection<RunResult> results) {
    Map<String, Result<?>> byName = new HashMap<>();
    for (RunResult result : results) {
      byName.put(name(result), result.getPrimaryResult());
    }
    List<Row> rows = new ArrayList<>();
    for (RunResult result : results) {
      String method = method(result);
      String comparedTo =
          Comparison.ALL.stream()
              .filter(c -> c.benchmark().equals(method))
              .map(c -> c.comparedTo() + parameter(result))
              .findFirst()
              .orElse("");
      Result<?> own = result.getPrimaryResult();
      @Nullable Result<?> other = byName.get(comparedTo);
      double ratio = other == null ? Double.NaN : own.getScore() / other.getScore();
      rows.add(
          new Row(
              name(result),
              own.getScoreUnit(),
              own.getScore(),
              own.getScoreError(),
              comparedTo,
              ratio,
              bytesPerOp(result)));
    }
    return rows;
  }

  private static double bytesPerOp(RunResult result) {
    Result<?> allocated = result.getSecondaryResults().get("gc.alloc.rate.norm");
    return allocated == null ? 0 : allocated.getScore();
  }

  private static String method(RunResult result) {
    return result.getParams().getBenchmark().replace("dev.sluice.bench.", "");
  }

  private static String parameter(RunResult result) {
    String pages = result.getParams().getParam("pages");
    return pages == null ? "" : ":" + pages;
  }

  private static String name(RunResult result) {
    return method(result) + parameter(result);
  }

  private static void print(PrintStream out, List<Row> rows) {
    out.printf("%n%-40s %12s %12s %8s  %s%n", "benchmark", "ns/op", "+-", "B/op", "ratio");
    for (Row row : rows) {
      String ratio =
          Double.isNaN(row.ratio()) ? "" : "%.2fx %s".formatted(row.ratio(), row.comparedTo());
      out.printf(
          "%-40s %12.2f %12.2f %8.1f  %s%n",
          row.name(), row.score(), row.error(), row.bytesPerOp(), ratio);
    }
  }

  private static void write(Path file, List<Row> rows) throws IOException {
    try (var writer = Files.newBufferedWriter(file, StandardCharsets.UTF_8);
        JsonGenerator json =
            new JsonFactory().createGenerator(ObjectWriteContext.empty(), writer)) {
      json.writeStartArray();
      for (Row row : rows) {
        json.writeStartObject();
        json.writeStringProperty("name", row.name());
        json.writeStringProperty("unit", row.unit());
        json.writeNumberProperty("score", row.score());
        json.writeNumberProperty("error", row.error());
        json.writeStringProperty("comparedTo", row.comparedTo());
        if (Double.isNaN(row.ratio())) {
          json.writeNullProperty("ratio");
        } else {
          json.writeNumberProperty("ratio", row.ratio());
        }
        json.writeNumberProperty("bytesPerOp", row.bytesPerOp());
        json.writeEndObject();
      }
      json.writeEndArray();
    }
  }
}
