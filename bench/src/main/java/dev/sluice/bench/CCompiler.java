package dev.sluice.bench;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The machine's C compiler.
///
/// @param program gcc or another with its options
record CCompiler(Path program) {
  private static final List<String> NAMES = List.of("gcc", "cc");
  private static final List<String> SOURCES =
      List.of("comparators.c", "stream.h", "tables.h", "tlb.h");
  private static final List<String> OPTIONS =
      List.of("-std=c17", "-D_POSIX_C_SOURCE=200809L", "-O2", "-pthread", "-Wall", "-Wextra");

  /// Not every compiler knows it on every machine.
  private static final String FOR_THIS_MACHINE = "-march=native";

  /// The first of gcc and cc in a search path.
  ///
  /// @param searchPath as in the environment variable PATH
  static Optional<CCompiler> find(String searchPath) {
    for (String name : NAMES) {
      for (String folder : searchPath.split(File.pathSeparator, -1)) {
        // An empty entry means the working directory, from which nothing is to be run.
        Path candidate = Path.of(folder, name);
        if (!folder.isEmpty() && Files.isRegularFile(candidate) && Files.isExecutable(candidate)) {
          return Optional.of(new CCompiler(candidate));
        }
      }
    }
    return Optional.empty();
  }

  /// Compiles the comparators.
  ///
  /// @param folder where source and program go
  /// @return the program
  /// @throws IOException if it does not compile; the message has the compiler's first lines
  Path compile(Path folder) throws IOException, InterruptedException {
    for (String source : SOURCES) {
      try (InputStream in = CCompiler.class.getResourceAsStream("/c/" + source)) {
        if (in == null) {
          throw new IOException("the build lacks " + source);
        }
        Files.copy(in, folder.resolve(source));
      }
    }
    Path made = folder.resolve("comparators");
    String said = compile(folder, made, true);
    if (!Files.isExecutable(made)) {
      said = compile(folder, made, false);
    }
    if (!Files.isExecutable(made)) {
      throw new IOException(program + " does not compile the comparators:\n" + said);
    }
    return made;
  }

  /// Returns what the compiler said.
  private String compile(Path folder, Path made, boolean forThisMachine)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(program.toString());
    command.addAll(OPTIONS);
    if (forThisMachine) {
      command.add(FOR_THIS_MACHINE);
    }
    command.addAll(List.of("-o", made.toString(), folder.resolve(SOURCES.getFirst()).toString()));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    // What a compiler that is killed leaves goes with the folder.
    builder.environment().put("TMPDIR", folder.toString());
    Process process = builder.start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return said.lines().limit(20).reduce("", (all, line) -> all + "  " + line + "\n");
  }
}
