package dev.sluice.cli;

import dev.sluice.vm.Bench;
import dev.sluice.vm.Boot;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;

/// `sluice boot` with nothing replaced, and what it left: texts, JSON, exit status.
final class WholeCommand {
  private final int status;
  private final String out;
  private final String err;
  private final Map<String, Object> json;

  private WholeCommand(int status, String out, String err, Map<String, Object> json) {
    this.status = status;
    this.out = out;
    this.err = err;
    this.json = json;
  }

  /// Boots in the calling thread.
  ///
  /// @param folder for the JSON report and the logs
  /// @param options of `boot`, without `--json`
  static WholeCommand boot(Path folder, String... options) throws IOException {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    Path file = folder.resolve("report.json");
    BootCommand boot =
        new BootCommand(
            Boot::run, Bench::run, folder.resolve("logs"), Terminal.NONE, Terminal.NONE);
    CommandLine sluice =
        Main.commandLine(boot).setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    List<String> words = new ArrayList<>(List.of("boot", "--json", file.toString()));
    words.addAll(List.of(options));
    int status = sluice.execute(words.toArray(String[]::new));
    Map<String, Object> json =
        Files.exists(file) ? ParsedJson.object(Files.readString(file)) : Map.of();
    return new WholeCommand(status, out.toString(), err.toString(), json);
  }

  int status() {
    return status;
  }

  String out() {
    return out;
  }

  String err() {
    return err;
  }

  /// The value of a member in the JSON report; a path's parts are joined by dots.
  Object json(String path) {
    return ParsedJson.at(json, path);
  }

  /// A number of the JSON report.
  double number(String path) {
    return (Double) json(path);
  }

  /// The checks by their names, each with whether it passed and its detail.
  Map<String, String> checks() {
    Map<String, String> checks = new LinkedHashMap<>();
    for (Object check : (List<?>) json("guest.checks")) {
      Map<?, ?> members = (Map<?, ?>) check;
      boolean passed = Boolean.TRUE.equals(members.get("passed"));
      checks.put(
          (String) members.get("name"), (passed ? "ok" : "FAIL") + " " + members.get("detail"));
    }
    return checks;
  }

  @Override
  public String toString() {
    return "status " + status + "\n" + err + out;
  }
}
