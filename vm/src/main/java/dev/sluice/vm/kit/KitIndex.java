package dev.sluice.vm.kit;

import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;

/// Says which entries of a cache are in use: for each part the entry's name and the version in it.
///
/// The file `current` is replaced by a rename, so a reader without the lock sees the old or the new
/// one.
final class KitIndex {
  private static final String FILE = "current";

  private final KitCache cache;
  private final Properties properties;

  private KitIndex(KitCache cache, Properties properties) {
    this.cache = cache;
    this.properties = properties;
  }

  /// The index of a cache; an empty one if there is none yet.
  static KitIndex read(KitCache cache) throws IOException {
    Properties properties = new Properties();
    Path file = cache.root().resolve(FILE);
    if (Files.isReadable(file)) {
      try (Reader reader = Files.newBufferedReader(file)) {
        properties.load(reader);
      }
    }
    return new KitIndex(cache, properties);
  }

  /// An index with an entry that was just made.
  KitIndex with(KitPart part, DebPackage debPackage) {
    Properties changed = new Properties();
    changed.putAll(properties);
    changed.setProperty(key(part) + ".entry", debPackage.entryName());
    changed.setProperty(key(part) + ".package", debPackage.name());
    changed.setProperty(key(part) + ".version", debPackage.version());
    return new KitIndex(cache, changed);
  }

  /// Makes this index the cache's. The caller holds the cache's lock.
  void save() throws IOException {
    Path temporary = cache.folder("tmp").resolve(FILE);
    try (Writer writer = Files.newBufferedWriter(temporary)) {
      properties.store(writer, "The entries of kit/ that are in use");
    }
    Files.move(temporary, cache.root().resolve(FILE), StandardCopyOption.ATOMIC_MOVE);
  }

  Optional<QemuInstallation> qemu() {
    String version = properties.getProperty(key(KitPart.QEMU) + ".version", "");
    String upstream = version.replaceFirst("^[0-9]+:", "").replaceFirst("[+~-].*$", "");
    return entry(KitPart.QEMU).map(root -> QemuInstallation.unpacked(root, upstream));
  }

  Optional<GuestKernel> kernel() {
    String version =
        properties
            .getProperty(key(KitPart.KERNEL) + ".package", "")
            .replaceFirst("^linux-binary-", "");
    return entry(KitPart.KERNEL).map(root -> GuestKernel.unpacked(root, version));
  }

  Optional<Path> busybox() {
    return entry(KitPart.BUSYBOX).map(root -> root.resolve("usr/bin/busybox"));
  }

  /// The folder of perl's packages.
  Optional<Path> perl() {
    return entry(KitPart.PERL);
  }

  /// The benchmark tool.
  Optional<BenchmarkTool> fio() {
    return entry(KitPart.FIO)
        .map(root -> BenchmarkTool.unpacked(root, properties.getProperty("fio.version", "")));
  }

  /// Those of some parts that the cache does not have.
  Set<KitPart> missing(Set<KitPart> needed) {
    Set<KitPart> missing = EnumSet.noneOf(KitPart.class);
    for (KitPart part : needed) {
      if (entry(part).isEmpty()) {
        missing.add(part);
      }
    }
    return missing;
  }

  private Optional<Path> entry(KitPart part) {
    String name = properties.getProperty(key(part) + ".entry", "");
    return name.isEmpty() ? Optional.empty() : cache.entry(name);
  }

  private static String key(KitPart part) {
    return part.name().toLowerCase(Locale.ROOT);
  }
}
