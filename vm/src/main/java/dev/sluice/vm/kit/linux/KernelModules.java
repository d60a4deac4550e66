package dev.sluice.vm.kit.linux;

import dev.sluice.vm.kit.KitException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/// The modules of a kernel, as files that `insmod` takes.
///
/// Debian's packages have no `modules.dep` (it is made when they are installed), so dependencies
/// are read from the modules themselves.
final class KernelModules {
  private final Map<String, Path> files = new HashMap<>();
  private final Set<String> builtIn = new TreeSet<>();
  private final ModuleDecompressor decompressor;

  /// @param folder `lib/modules/VERSION`
  KernelModules(Path folder, ModuleDecompressor decompressor) throws IOException {
    this.decompressor = decompressor;
    try (Stream<Path> walk = Files.walk(folder.resolve("kernel"))) {
      walk.filter(path -> path.getFileName().toString().contains(".ko"))
          .forEach(path -> files.put(name(path), path));
    }
    Path builtInList = folder.resolve("modules.builtin");
    if (Files.isReadable(builtInList)) {
      for (String line : Files.readAllLines(builtInList)) {
        if (!line.isBlank()) {
          builtIn.add(name(Path.of(line)));
        }
      }
    }
  }

  /// Whether the kernel has something, as a module or built in.
  boolean has(String name) {
    return files.containsKey(name) || builtIn.contains(name);
  }

  /// Modules with all that they depend on, uncompressed, each after what it depends on. A name that
  /// the kernel has built in, or that it has no module of, is left out: whether that matters shows
  /// in the guest.
  ///
  /// @return contents by file name, in the order in which to load them
  Map<String, byte[]> closure(List<String> names) throws IOException, InterruptedException {
    Map<String, byte[]> ordered = new LinkedHashMap<>();
    List<String> path = new ArrayList<>();
    for (String name : names) {
      visit(name.replace('-', '_'), path, ordered);
    }
    return ordered;
  }

  private void visit(String name, List<String> path, Map<String, byte[]> ordered)
      throws IOException, InterruptedException {
    Path file = files.get(name);
    if (file == null || builtIn.contains(name) || ordered.containsKey(name + ".ko")) {
      return;
    }
    if (path.contains(name)) {
      throw new KitException(
          "the kernel modules " + path + " depend on one another in a circle",
          "Use another kernel.");
    }
    path.addLast(name);
    byte[] contents = decompressor.read(file);
    for (String dependency : ModuleInfo.depends(file, contents)) {
      visit(dependency.replace('-', '_'), path, ordered);
    }
    path.removeLast();
    ordered.put(name + ".ko", contents);
  }

  /// The name under which the kernel knows a module's file: `nvme-core.ko.xz` is `nvme_core`.
  private static String name(Path file) {
    String name = file.getFileName().toString();
    int extension = name.indexOf(".ko");
    return (extension < 0 ? name : name.substring(0, extension)).replace('-', '_');
  }
}
