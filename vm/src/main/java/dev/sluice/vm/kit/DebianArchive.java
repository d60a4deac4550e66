package dev.sluice.vm.kit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The Debian archive that this machine's apt already uses: where packages come from, and the
/// keyring that says whether they are Debian's.
///
/// @param uri of the archive
/// @param keyring file with the archive's keys
public record DebianArchive(String uri, Path keyring) {
  private static final Set<String> SUITES =
      Set.of(
          "bullseye",
          "bookworm",
          "trixie",
          "forky",
          "duke",
          "sid",
          "oldoldstable",
          "oldstable",
          "stable",
          "testing",
          "unstable");

  /// `deb [option=value …] uri suite component…` (sources.list(5), one-line style).
  private static final Pattern ONE_LINE =
      Pattern.compile("deb\\s+(?:\\[([^]]*)]\\s+)?(\\S+)\\s+(\\S+)\\s+(\\S.*)");

  private static final Pattern SIGNED_BY = Pattern.compile("signed-by=(\\S+)");

  private static final List<Path> KEYRINGS =
      List.of(
          Path.of("/usr/share/keyrings/debian-archive-keyring.gpg"),
          Path.of("/usr/share/keyrings/debian-archive-keyring.pgp"));

  /// A source of packages as a machine's configuration has it.
  private record Source(String uri, List<String> suites, List<String> components, String signedBy) {
    boolean isDebianMain() {
      return components.contains("main")
          && suites.stream().anyMatch(SUITES::contains)
          && (uri.startsWith("http://") || uri.startsWith("https://"));
    }
  }

  /// Finds the archive in apt's configuration.
  ///
  /// @param etcApt usually `/etc/apt`
  /// @throws KitException if no source is Debian's main archive, or there is no keyring
  public static DebianArchive find(Path etcApt) throws IOException {
    Optional<Source> found = sources(etcApt).stream().filter(Source::isDebianMain).findFirst();
    if (found.isEmpty()) {
      throw new KitUnavailableException(
          "none of the package sources in " + etcApt + " is Debian's main archive",
          "Install QEMU 10.1 or newer and a static busybox yourself and give a kernel with"
              + " --kernel, or use --guest in-process.");
    }
    return new DebianArchive(found.get().uri(), keyring(found.get().signedBy()));
  }

  private static Path keyring(String signedBy) throws KitException {
    List<Path> candidates = new ArrayList<>();
    if (signedBy.startsWith("/")) {
      candidates.add(Path.of(signedBy));
    }
    candidates.addAll(KEYRINGS);
    return candidates.stream()
        .filter(Files::isReadable)
        .findFirst()
        .orElseThrow(() ->
            new KitUnavailableException(
                "the Debian archive's keyring is missing: looked for " + candidates,
                "Install the package debian-archive-keyring."));
  }

  private static List<Source> sources(Path etcApt) throws IOException {
    List<Path> files = new ArrayList<>();
    files.add(etcApt.resolve("sources.list"));
    Path parts = etcApt.resolve("sources.list.d");
    if (Files.isDirectory(parts)) {
      try (Stream<Path> entries = Files.list(parts)) {
        entries.sorted().forEach(files::add);
      }
    }
    List<Source> sources = new ArrayList<>();
    for (Path file : files) {
      if (!Files.isReadable(file)) {
        continue;
      }
      if (file.toString().endsWith(".list")) {
        oneLine(Files.readAllLines(file), sources);
      } else if (file.toString().endsWith(".sources")) {
        deb822(Files.readAllLines(file), sources);
      }
    }
    return sources;
  }

  private static void oneLine(List<String> lines, List<Source> sources) {
    for (String line : lines) {
      Matcher fields = ONE_LINE.matcher(line.replaceFirst("#.*", "").strip());
      if (fields.matches()) {
        Matcher signedBy = SIGNED_BY.matcher(Optional.ofNullable(fields.group(1)).orElse(""));
        sources.add(
            new Source(
                fields.group(2),
                List.of(fields.group(3)),
                words(fields.group(4)),
                signedBy.find() ? signedBy.group(1) : ""));
      }
    }
  }

  private static void deb822(List<String> lines, List<Source> sources) {
    Map<String, String> stanza = new HashMap<>();
    String field = "";
    for (String line : lines) {
      if (line.isBlank()) {
        stanza(stanza, sources);
        stanza.clear();
      } else if (line.startsWith(" ") || line.startsWith("\t")) {
        stanza.merge(field, line.strip(), (before, more) -> before + " " + more);
      } else if (!line.startsWith("#") && line.contains(":")) {
        field = line.substring(0, line.indexOf(':')).strip().toLowerCase(Locale.ROOT);
        stanza.put(field, line.substring(line.indexOf(':') + 1).strip());
      }
    }
    stanza(stanza, sources);
  }

  private static void stanza(Map<String, String> fields, List<Source> sources) {
    boolean enabled = !fields.getOrDefault("enabled", "yes").equalsIgnoreCase("no");
    if (enabled && words(fields.getOrDefault("types", "")).contains("deb")) {
      for (String uri : words(fields.getOrDefault("uris", ""))) {
        sources.add(
            new Source(
                uri,
                words(fields.getOrDefault("suites", "")),
                words(fields.getOrDefault("components", "")),
                fields.getOrDefault("signed-by", "")));
      }
    }
  }

  private static List<String> words(String text) {
    return Stream.of(text.strip().split("\\s+")).filter(word -> !word.isEmpty()).toList();
  }
}
