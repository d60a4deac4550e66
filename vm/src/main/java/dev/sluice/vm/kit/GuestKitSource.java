package dev.sluice.vm.kit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Obtains a [GuestKit]: from the user and the `PATH` where they have the parts, else from the
/// cache, else from the Debian archive that this machine's apt uses.
///
/// Nothing is installed on the machine and nothing needs root. A run that is cut short leaves
/// complete entries and apt's partial downloads behind; the next one goes on from there.
public final class GuestKitSource {
  private static final String KERNEL_METAPACKAGE = "linux-image-amd64";
  private static final Pattern KERNEL_IMAGE_PACKAGE =
      Pattern.compile("linux-image-[0-9][A-Za-z0-9.+~-]*-amd64");

  /// For apt's lists, its caches, and some room.
  private static final long ALWAYS_NEEDED_BYTES = 150L << 20;

  private final KitCache cache;
  private final String searchPath;
  private final Path etcApt;
  private boolean offline;
  private @Nullable Path userKernel;

  /// @param cache usually [KitCache#standard()]
  public GuestKitSource(KitCache cache) {
    this(cache, System.getenv().getOrDefault("PATH", ""), Path.of("/etc/apt"));
  }

  GuestKitSource(KitCache cache, String searchPath, Path etcApt) {
    this.cache = cache;
    this.searchPath = searchPath;
    this.etcApt = etcApt;
  }

  /// Uses the cache only: what is neither there nor on the machine is a failure.
  public GuestKitSource offline(boolean offline) {
    this.offline = offline;
    return this;
  }

  /// Uses a kernel of the user's in place of Debian's.
  public GuestKitSource kernel(Path image) {
    this.userKernel = image;
    return this;
  }

  /// The parts, after downloading what is missing.
  ///
  /// @throws KitException if a part cannot be had; its advice says what to do
  /// @throws IOException if the cache cannot be used
  public GuestKit obtain(KitProgress progress) throws IOException, InterruptedException {
    Path image = userKernel;
    GuestKernel kernel = image == null ? null : GuestKernel.ofUser(image);
    QemuInstallation qemu = QemuInstallation.onPath(searchPath).orElse(null);
    // With both of them at hand Debian is not needed, if the machine has a busybox that will do.
    Path busybox =
        kernel != null && qemu != null ? StaticBusybox.onPath(searchPath).orElse(null) : null;
    Set<KitPart> needed = EnumSet.noneOf(KitPart.class);
    if (qemu == null) {
      needed.add(KitPart.QEMU);
    }
    if (kernel == null) {
      needed.add(KitPart.KERNEL);
    }
    if (busybox == null) {
      needed.add(KitPart.BUSYBOX);
    }
    if (!needed.isEmpty()) {
      // Who brings everything else is not sent to Debian for it: the guest can do without.
      needed.add(KitPart.PERL);
    }
    KitIndex index = index(needed, progress);
    return new GuestKit(
        qemu != null ? qemu : index.qemu().orElseThrow(),
        kernel != null ? kernel : index.kernel().orElseThrow(),
        busybox != null ? busybox : index.busybox().orElseThrow(),
        index.perl());
  }

  /// The benchmark tool that runs in the guest: Debian's fio, downloaded if it is not in the cache.
  ///
  /// @throws KitException if it cannot be had
  /// @throws IOException if the cache cannot be used
  public BenchmarkTool benchmarkTool(KitProgress progress)
      throws IOException, InterruptedException {
    return index(EnumSet.of(KitPart.FIO), progress).fio().orElseThrow();
  }

  /// The cache's index, with the parts in it.
  private KitIndex index(Set<KitPart> needed, KitProgress progress)
      throws IOException, InterruptedException {
    KitIndex index = KitIndex.read(cache);
    if (index.missing(needed).isEmpty()) {
      return index;
    }
    try (KitCache.Lock _ = cache.lock(progress)) {
      // Another process may have filled the cache while this one waited.
      index = KitIndex.read(cache);
      Set<KitPart> missing = index.missing(needed);
      if (missing.isEmpty()) {
        return index;
      }
      return offline ? refill(index, missing, progress) : fill(index, missing, progress);
    }
  }

  /// Without a network: what was downloaded may be all there, only not unpacked.
  private KitIndex refill(KitIndex index, Set<KitPart> missing, KitProgress progress)
      throws IOException, InterruptedException {
    try {
      return fill(index, missing, progress);
    } catch (KitException e) {
      throw new KitException(
          "the cache %s lacks %s, and --offline keeps it so"
              .formatted(cache.root(), words(missing)),
          "Run once without --offline, or use --guest in-process.",
          e);
    }
  }

  private KitIndex fill(KitIndex index, Set<KitPart> missing, KitProgress progress)
      throws IOException, InterruptedException {
    requireX86();
    PrivateApt apt = new PrivateApt(cache.folder("apt"), DebianArchive.find(etcApt));
    if (!offline) {
      cache.requireFree(ALWAYS_NEEDED_BYTES + missing.stream().mapToLong(KitPart::diskBytes).sum());
      progress.stage("Reading Debian's package lists");
      apt.update(progress);
    }
    Map<KitPart, List<String>> wanted = new EnumMap<>(KitPart.class);
    for (KitPart part : missing) {
      wanted.put(part, packages(part, apt));
    }
    List<String> all = wanted.values().stream().flatMap(List::stream).toList();
    if (!offline) {
      progress.stage("Downloading " + words(missing));
      apt.download(all, progress);
    }
    KitIndex result = index;
    for (Map.Entry<KitPart, List<String>> part : wanted.entrySet()) {
      progress.stage("Unpacking " + part.getKey().words());
      result = result.with(part.getKey(), unpack(part.getKey(), part.getValue(), apt, progress));
      if (part.getKey() == KitPart.QEMU) {
        result.qemu().orElseThrow().requireUsable();
      }
      result.save();
    }
    return result;
  }

  private static List<String> packages(KitPart part, PrivateApt apt)
      throws IOException, InterruptedException {
    return switch (part) {
      case QEMU -> List.of("qemu-system-x86");
      case BUSYBOX -> List.of("busybox-static");
      case PERL -> List.of("perl-base");
      case FIO -> List.of("fio");
      case KERNEL -> {
        String release = kernelImagePackage(apt).substring("linux-image-".length());
        // Not the image's own package: it would bring the tools that install a kernel.
        yield List.of("linux-binary-" + release, "linux-modules-" + release);
      }
    };
  }

  /// Makes the cache's entry of a part from apt's archives.
  ///
  /// @return the package after which the entry is named
  private DebPackage unpack(
      KitPart part, List<String> packages, PrivateApt apt, KitProgress progress)
      throws IOException, InterruptedException {
    List<DebPackage> closure = apt.closure(packages);
    // QEMU, perl and fio run on the libraries that they depend on; of the others the packages
    // themselves are enough.
    List<DebPackage> contents =
        part == KitPart.QEMU || part == KitPart.PERL || part == KitPart.FIO
            ? closure
            : closure.stream().filter(each -> packages.contains(each.name())).toList();
    DebPackage first =
        contents.stream()
            .filter(each -> each.name().equals(packages.getFirst()))
            .findFirst()
            .orElseThrow(() -> new IllegalStateException("apt did not choose " + packages));
    cache.install(
        first.entryName(),
        folder -> {
          int done = 0;
          for (DebPackage debPackage : contents) {
            progress.progress((double) done++ / contents.size(), debPackage.name());
            extract(apt.archive(debPackage), folder);
          }
        });
    return first;
  }

  private static String kernelImagePackage(PrivateApt apt)
      throws IOException, InterruptedException {
    Optional<String> name = apt.dependency(KERNEL_METAPACKAGE, KERNEL_IMAGE_PACKAGE);
    return name.orElseThrow(() ->
        new KitException(
            "the Debian archive does not say which kernel " + KERNEL_METAPACKAGE + " is",
            "Give a kernel with --kernel."));
  }

  private static String words(Set<KitPart> parts) {
    return parts.stream().map(KitPart::words).collect(Collectors.joining(", "));
  }

  private static void extract(Path archive, Path folder) throws IOException, InterruptedException {
    if (!Files.isReadable(archive)) {
      throw new KitException(
          "the cache has no " + archive, "Delete the cache's folder apt and try again.");
    }
    Path dpkgDeb =
        HostProgram.find("dpkg-deb")
            .orElseThrow(() ->
                new KitUnavailableException("there is no dpkg-deb", "Install the package dpkg."));
    List<String> command = new ArrayList<>();
    command.add(dpkgDeb.toString());
    command.add("--extract");
    command.add(archive.toString());
    command.add(folder.toString());
    HostProgram.Result result = new HostProgram(command).run();
    if (result.status() != 0) {
      throw new KitException(
          "unpacking %s failed with status %d: %s"
              .formatted(archive, result.status(), result.errorText()),
          PrivateApt.adviceFor(result.errorText()));
    }
  }

  private static void requireX86() throws KitException {
    String architecture = System.getProperty("os.arch");
    if (!architecture.equals("amd64") && !architecture.equals("x86_64")) {
      throw new KitUnavailableException(
          "the packages are for x86-64, this machine is " + architecture,
          "Install QEMU 10.1 or newer and give a kernel with --kernel, or use --guest in-process.");
    }
  }
}
