package dev.sluice.vm.kit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// An apt that knows only Debian trixie and its backports and keeps everything in a folder of its
/// own.
///
/// It is the machine's own program with the machine's proxies and credentials, run as the calling
/// user. It installs nothing: it resolves dependencies as if the machine were empty, downloads what
/// they name, resumes what was cut short, and accepts only what the archive's keys have signed.
final class PrivateApt {
  private static final String SUITE = "trixie";
  private static final String BACKPORTS = "trixie-backports";

  private static final Pattern CHOSEN =
      Pattern.compile("Inst (\\S+) \\((\\S+) .*\\[([a-z0-9]+)]\\)(?: .*)?");
  private static final Pattern STATUS = Pattern.compile("dlstatus:[^:]*:([0-9.]+):(.*)");
  private static final int MAX_QUOTED_ERRORS = 5;

  private final Path folder;
  private final Path aptGet;
  private final Path aptCache;

  /// @param folder for lists, archives and configuration
  /// @throws KitException if the machine has no apt
  PrivateApt(Path folder, DebianArchive archive) throws IOException {
    this.folder = folder;
    this.aptGet = program("apt-get");
    this.aptCache = program("apt-cache");
    configure(archive);
  }

  /// Reads the archive's lists of packages.
  void update(KitProgress progress) throws IOException, InterruptedException {
    run(aptGet, List.of("-o", "APT::Status-Fd=1", "update"), progress);
  }

  /// The package that a metapackage depends on and whose name matches, such as the newest kernel's.
  Optional<String> dependency(String metapackage, Pattern name)
      throws IOException, InterruptedException {
    List<String> lines =
        run(aptCache, List.of("--no-all-versions", "show", metapackage), KitProgress.SILENT);
    for (String line : lines) {
      if (line.startsWith("Depends:")) {
        Matcher matcher = name.matcher(line);
        if (matcher.find()) {
          return Optional.of(matcher.group());
        }
      }
    }
    return Optional.empty();
  }

  /// The packages themselves and all that they depend on.
  List<DebPackage> closure(List<String> packages) throws IOException, InterruptedException {
    List<String> arguments = new ArrayList<>(List.of("install", "--simulate"));
    arguments.add("--no-install-recommends");
    arguments.addAll(packages);
    List<DebPackage> chosen = new ArrayList<>();
    for (String line : run(aptGet, arguments, KitProgress.SILENT)) {
      Matcher matcher = CHOSEN.matcher(line);
      if (matcher.matches()) {
        chosen.add(new DebPackage(matcher.group(1), matcher.group(2), matcher.group(3)));
      }
    }
    return chosen;
  }

  /// Downloads packages with their dependencies into the archives, as far as they are not there.
  void download(List<String> packages, KitProgress progress)
      throws IOException, InterruptedException {
    List<String> arguments = new ArrayList<>(List.of("-o", "APT::Status-Fd=1", "--assume-yes"));
    arguments.addAll(List.of("install", "--download-only", "--no-install-recommends"));
    arguments.addAll(packages);
    run(aptGet, arguments, progress);
  }

  /// Where a downloaded package is.
  Path archive(DebPackage debPackage) {
    return folder.resolve("cache/archives").resolve(debPackage.fileName());
  }

  private List<String> run(Path program, List<String> arguments, KitProgress progress)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(program.toString());
    // After the machine's own configuration, which holds its proxies, so that these settings win.
    command.add("--config-file=" + folder.resolve("apt.conf"));
    command.addAll(arguments);
    List<String> lines = new ArrayList<>();
    HostProgram.Result result =
        new HostProgram(command)
            .output(line -> {
              Matcher status = STATUS.matcher(line);
              if (status.matches()) {
                progress.progress(
                    Double.parseDouble(status.group(1)) / 100, status.group(2).strip());
              } else {
                lines.add(line);
              }
            })
            .run();
    if (result.status() != 0) {
      throw failure(program.getFileName() + " " + String.join(" ", arguments), result);
    }
    return lines;
  }

  private static KitException failure(String what, HostProgram.Result result) {
    List<String> errors = result.errors().stream().filter(line -> line.startsWith("E:")).toList();
    if (errors.isEmpty()) {
      errors = result.errors();
    }
    String text =
        String.join("\n  ", errors.subList(0, Math.min(errors.size(), MAX_QUOTED_ERRORS)));
    return new KitException(
        "%s failed with status %d:%n  %s".formatted(what, result.status(), text),
        adviceFor(result.errorText()));
  }

  /// What to do about an error of apt's or dpkg's, by the words in which they and the C library put
  /// it.
  static String adviceFor(String errorText) {
    String errors = errorText.toLowerCase(Locale.ROOT);
    if (mentions(errors, "no space left", "enough free space")) {
      return "Free some room, or set SLUICE_CACHE to a folder on another disk.";
    }
    if (mentions(errors, "no_pubkey", "signatures", "not signed", "missing key")) {
      return "The packages could not be verified: bring the package debian-archive-keyring up to date.";
    }
    if (mentions(
        errors,
        "could not resolve",
        "temporary failure",
        "could not connect",
        "unable to connect",
        "connection timed out",
        "network is unreachable",
        "connection failed",
        "connection refused")) {
      return "There is no way to the Debian archive: check the network and apt's proxy. What was"
          + " downloaded is kept. --guest in-process needs no network.";
    }
    return "Check that 'apt-get update' works on this machine. What was downloaded is kept.";
  }

  private static boolean mentions(String errors, String... phrases) {
    for (String phrase : phrases) {
      if (errors.contains(phrase)) {
        return true;
      }
    }
    return false;
  }

  private static Path program(String name) throws KitException {
    return HostProgram.find(name)
        .orElseThrow(() ->
            new KitUnavailableException(
                "this machine has no " + name,
                "Install QEMU 10.1 or newer and a static busybox yourself and give a kernel"
                    + " with --kernel, or use --guest in-process."));
  }

  private void configure(DebianArchive archive) throws IOException {
    for (String name : List.of("state/lists/partial", "cache/archives/partial", "log")) {
      Files.createDirectories(folder.resolve(name));
    }
    // An empty status file: nothing counts as installed, so every dependency is downloaded.
    Files.writeString(folder.resolve("state/status"), "");
    String source = "deb [signed-by=" + archive.keyring() + "] " + archive.uri() + " ";
    Files.writeString(
        folder.resolve("sources.list"),
        source + SUITE + " main\n" + source + BACKPORTS + " main\n");
    Files.writeString(
        folder.resolve("preferences"),
        "Package: *\nPin: release n=" + BACKPORTS + "\nPin-Priority: 600\n");
    Files.writeString(folder.resolve("apt.conf"), configuration());
  }

  private String configuration() {
    return """
    Dir::State "%1$s/state";
    Dir::State::status "%1$s/state/status";
    Dir::Cache "%1$s/cache";
    Dir::Cache::archives "archives";
    Dir::Cache::pkgcache "pkgcache.bin";
    Dir::Cache::srcpkgcache "";
    Dir::Log "%1$s/log";
    Dir::Etc::sourcelist "%1$s/sources.list";
    Dir::Etc::sourceparts "-";
    Dir::Etc::preferences "%1$s/preferences";
    Dir::Etc::preferencesparts "/dev/null";
    APT::Architecture "amd64";
    #clear APT::Architectures;
    APT::Architectures { "amd64"; };
    // Only root has another user to hand the download to, who could not write here.
    APT::Sandbox::User "%2$s";
    // Without this an unreachable archive is a warning and the old lists are used.
    APT::Update::Error-Mode "any";
    Acquire::Languages "none";
    Acquire::Retries "2";
    Acquire::http::Timeout "20";
    Acquire::https::Timeout "20";
    APT::Keep-Downloaded-Packages "true";
    // The machine's hooks are about the machine's packages.
    #clear APT::Update::Pre-Invoke;
    #clear APT::Update::Post-Invoke;
    #clear APT::Update::Post-Invoke-Success;
    #clear DPkg::Pre-Invoke;
    #clear DPkg::Post-Invoke;
    #clear DPkg::Pre-Install-Pkgs;
    """
        .formatted(folder, System.getProperty("user.name"));
  }
}
