package dev.sluice.vm.kit.linux;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;

/// Writes a cpio archive in the *newc* format, the one that Linux unpacks as its initramfs (kernel
/// documentation, `driver-api/early-userspace/buffer-format`).
///
/// ```
/// entry:  header (110 bytes) | name, NUL | pad to 4 | contents | pad to 4
/// header: "070701", then 13 fields of 8 upper-case hexadecimal digits:
///         ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
/// last:   an entry of the name "TRAILER!!!"
/// ```
///
/// Everything belongs to root and has the time 0, so the same contents give the same bytes. Parent
/// directories are added before what lies in them.
final class CpioArchive implements AutoCloseable {
  private static final int DIRECTORY = 0040755;
  private static final int REGULAR = 0100644;
  private static final int EXECUTABLE = 0100755;
  private static final int CHARACTER_DEVICE = 0020600;
  private static final String TRAILER = "TRAILER!!!";

  private final OutputStream out;
  private final Set<String> directories = new LinkedHashSet<>();
  private int inode = 1;

  CpioArchive(OutputStream out) {
    this.out = out;
  }

  /// Adds a file.
  ///
  /// @param path without a leading slash
  void file(String path, byte[] contents, boolean executable) throws IOException {
    parents(path);
    entry(path, executable ? EXECUTABLE : REGULAR, contents, 0, 0);
  }

  /// Adds a character device node.
  void characterDevice(String path, int major, int minor) throws IOException {
    parents(path);
    entry(path, CHARACTER_DEVICE, new byte[0], major, minor);
  }

  /// Ends the archive; the stream stays open for its owner.
  @Override
  public void close() throws IOException {
    entry(TRAILER, 0, new byte[0], 0, 0);
  }

  private void parents(String path) throws IOException {
    for (int slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      String directory = path.substring(0, slash);
      if (directories.add(directory)) {
        entry(directory, DIRECTORY, new byte[0], 0, 0);
      }
    }
  }

  private void entry(String path, int mode, byte[] contents, int major, int minor)
      throws IOException {
    byte[] name = (path + "\0").getBytes(StandardCharsets.UTF_8);
    int links = mode == DIRECTORY ? 2 : 1;
    int[] fields = {
      inode++, mode, 0, 0, links, 0, contents.length, 0, 0, major, minor, name.length, 0
    };
    StringBuilder header = new StringBuilder("070701");
    for (int field : fields) {
      header.append(String.format(Locale.ROOT, "%08X", field));
    }
    out.write(header.toString().getBytes(StandardCharsets.US_ASCII));
    out.write(name);
    pad(header.length() + name.length);
    out.write(contents);
    pad(contents.length);
  }

  private void pad(int length) throws IOException {
    out.write(new byte[-length & 3]);
  }
}
