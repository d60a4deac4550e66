package dev.sluice.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// How many descriptors this process has open, for tests that look for leaks.
final class OpenDescriptors {
  private OpenDescriptors() {}

  /// Counts those that this package deals in; the JDK opens and closes files of its own at any
  /// time.
  static long count() throws IOException {
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      return descriptors.filter(OpenDescriptors::isOurs).count();
    }
  }

  private static boolean isOurs(Path descriptor) {
    try {
      String target = Files.readSymbolicLink(descriptor).toString();
      return target.startsWith("socket:")
          || target.startsWith("/memfd:")
          || target.equals("anon_inode:[eventfd]");
    } catch (IOException e) {
      return false; // closed since it was listed
    }
  }
}
