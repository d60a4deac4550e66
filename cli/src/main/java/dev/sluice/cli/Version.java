package dev.sluice.cli;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine.IVersionProvider;

/// The version that the build wrote down, with the Java that runs it: what a bug report needs
/// first.
final class Version implements IVersionProvider {
  Version() {}

  @Override
  public String[] getVersion() throws IOException {
    try (InputStream written = Version.class.getResourceAsStream("version.txt")) {
      if (written == null) {
        throw new FileNotFoundException("version.txt is missing beside " + Version.class.getName());
      }
      String version = new String(written.readAllBytes(), StandardCharsets.UTF_8).strip();
      return new String[] {"sluice " + version, "Java " + Runtime.version()};
    }
  }
}
