package dev.sluice.vm.kit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// Debian's fio with the libraries that it loads, to be run in a guest that has nothing else.
///
/// Debian builds it with every storage engine, so it loads 60 libraries of which a block device
/// needs two. They are 58 MB in the initramfs, and fio starts in half a second under TCG: worth
/// less than a tool of our own that nobody knows.
///
/// @param root folder of unpacked Debian packages
/// @param program the tool itself
/// @param version of its package
public record BenchmarkTool(Path root, Path program, String version) {
  private static final String LOADER = "ld-linux-x86-64.so.2";

  static BenchmarkTool unpacked(Path root, String version) {
    return new BenchmarkTool(root, root.resolve("usr/bin/fio"), version);
  }

  /// The libraries that it loads, the loader itself among them, by the name under which they are
  /// looked for.
  ///
  /// @throws KitException if one is not there
  public Map<String, Path> libraries() throws IOException {
    Map<String, Path> libraries = SharedLibraries.in(root.resolve("usr/lib")).closure(program);
    if (!libraries.containsKey(LOADER) || !Files.isRegularFile(program)) {
      throw new KitException(
          "the cache's fio in " + root + " is not whole", "Delete the cache's file current.");
    }
    return libraries;
  }

  /// The words that start it, once its libraries are in `folder` beside it.
  public static String command(String folder) {
    return "%1$s/%2$s --library-path %1$s %1$s/fio".formatted(folder, LOADER);
  }
}
