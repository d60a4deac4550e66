package dev.sluice.vm.kit;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A QEMU for x86-64 guests with a vfio-user client.
///
/// @param launcher the words that start it, before any option of its own
/// @param version such as `11.1.3`
public record QemuInstallation(List<String> launcher, String version) {
  private static final String PROGRAM = "qemu-system-x86_64";
  private static final String LIBRARIES = "usr/lib/x86_64-linux-gnu";
  private static final Pattern VERSION =
      Pattern.compile("QEMU emulator version ([0-9]+)\\.([0-9.]+).*");
  private static final Pattern MAJOR_MINOR = Pattern.compile("([0-9]+)\\.([0-9]+).*");

  /// @param launcher see the class
  /// @param version see the class
  public QemuInstallation {
    launcher = List.copyOf(launcher);
  }

  /// The QEMU on the search path, if it is recent enough: vfio-user's client first shipped in 10.1.
  ///
  /// @param searchPath the value of `PATH`
  public static Optional<QemuInstallation> onPath(String searchPath)
      throws IOException, InterruptedException {
    Optional<Path> program = HostProgram.find(PROGRAM, searchPath);
    if (program.isEmpty()) {
      return Optional.empty();
    }
    return probe(List.of(program.get().toString()));
  }

  /// The QEMU in a folder of unpacked Debian packages. It is started through the loader and with
  /// the libraries of that folder, so that the machine's own may be older.
  static QemuInstallation unpacked(Path root, String version) {
    Path libraries = root.resolve(LIBRARIES);
    List<String> launcher = new ArrayList<>();
    launcher.add(libraries.resolve("ld-linux-x86-64.so.2").toString());
    launcher.add("--library-path");
    launcher.add(libraries.toString());
    launcher.add(root.resolve("usr/bin").resolve(PROGRAM).toString());
    for (String firmware : List.of("usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu")) {
      launcher.add("-L");
      launcher.add(root.resolve(firmware).toString());
    }
    return new QemuInstallation(launcher, version);
  }

  /// Starts it once to see whether it can be started at all.
  ///
  /// @throws KitException if it does not run or lacks the vfio-user client
  void requireUsable() throws IOException, InterruptedException {
    if (probe(launcher).isEmpty()) {
      throw new KitException(
          "this QEMU does not run or has no vfio-user client: " + String.join(" ", launcher),
          "Install QEMU 10.1 or newer so that it is on the PATH, or use --guest in-process.");
    }
  }

  private static Optional<QemuInstallation> probe(List<String> launcher)
      throws IOException, InterruptedException {
    List<String> lines = new ArrayList<>();
    List<String> command = new ArrayList<>(launcher);
    command.add("--version");
    if (new HostProgram(command).output(lines::add).run().status() != 0 || lines.isEmpty()) {
      return Optional.empty();
    }
    Optional<String> version = recentVersion(lines.getFirst());
    if (version.isEmpty() || !hasVfioUser(launcher)) {
      return Optional.empty();
    }
    return Optional.of(new QemuInstallation(launcher, version.get()));
  }

  /// The version in the first line of `--version`, if it is 10.1 or newer.
  static Optional<String> recentVersion(String line) {
    Matcher matcher = VERSION.matcher(line);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    String version = matcher.group(1) + "." + matcher.group(2);
    Matcher numbers = MAJOR_MINOR.matcher(version);
    if (!numbers.matches()) {
      return Optional.empty();
    }
    int major = Integer.parseInt(numbers.group(1));
    int minor = Integer.parseInt(numbers.group(2));
    return major > 10 || (major == 10 && minor >= 1) ? Optional.of(version) : Optional.empty();
  }

  private static boolean hasVfioUser(List<String> launcher)
      throws IOException, InterruptedException {
    AtomicBoolean found = new AtomicBoolean();
    List<String> command = new ArrayList<>(launcher);
    command.addAll(List.of("-device", "help"));
    new HostProgram(command)
        .output(line -> {
          if (line.contains("\"vfio-user-pci\"")) {
            found.set(true);
          }
        })
        .run();
    return found.get();
  }
}
