package dev.sluice.vm.kit;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// A Linux kernel for the guest.
///
/// @param image a bzImage
/// @param version as `uname -r` says it, or empty when the image does not tell
/// @param modules the folder `lib/modules/VERSION` that belongs to it, or empty for a kernel that
///   needs none or whose modules are not on this machine
public record GuestKernel(Path image, String version, Optional<Path> modules) {
  /// Offsets in a bzImage (kernel documentation, `arch/x86/boot`): the magic number, and the offset
  /// of the version's text, counted from byte 0x200.
  private static final int MAGIC_OFFSET = 0x202;

  private static final byte[] MAGIC = "HdrS".getBytes(StandardCharsets.US_ASCII);
  private static final int VERSION_POINTER_OFFSET = 0x20e;
  private static final int MAX_VERSION = 256;

  /// A kernel that the user names. Its modules are looked for beside it and where this machine
  /// keeps the modules of its own kernels.
  ///
  /// @throws KitException if the file cannot be read or is not an x86 Linux kernel
  public static GuestKernel ofUser(Path image) throws IOException {
    if (!Files.isRegularFile(image) || !Files.isReadable(image)) {
      throw new KitException(
          "there is no kernel that can be read at " + image,
          "Give the path of a bzImage, such as /boot/vmlinuz-VERSION, with --kernel.");
    }
    String version = readVersion(image);
    List<Path> candidates =
        List.of(
            image.toAbsolutePath().resolveSibling("kernel"),
            Path.of("/usr/lib/modules", version, "kernel"),
            Path.of("/lib/modules", version, "kernel"));
    Optional<Path> modules =
        version.isEmpty()
            ? Optional.empty()
            : candidates.stream().filter(Files::isDirectory).findFirst().map(Path::getParent);
    return new GuestKernel(image, version, modules);
  }

  /// The kernel in a folder of unpacked Debian packages.
  static GuestKernel unpacked(Path root, String version) {
    Path folder = root.resolve("usr/lib/modules").resolve(version);
    return new GuestKernel(folder.resolve("vmlinuz"), version, Optional.of(folder));
  }

  private static String readVersion(Path image) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "r")) {
      byte[] magic = new byte[MAGIC.length];
      byte[] text = new byte[MAX_VERSION];
      int count = 0;
      if (file.length() > 0x1000) {
        file.seek(MAGIC_OFFSET);
        file.readFully(magic);
        file.seek(VERSION_POINTER_OFFSET);
        int pointer = Short.toUnsignedInt(Short.reverseBytes(file.readShort()));
        file.seek(0x200L + pointer);
        count = pointer == 0 ? 0 : Math.max(0, file.read(text));
      }
      if (!Arrays.equals(magic, MAGIC)) {
        throw new KitException(
            image + " is not an x86 Linux kernel (bzImage)",
            "Give the path of a bzImage, such as /boot/vmlinuz-VERSION, with --kernel.");
      }
      return firstWord(new String(text, 0, count, StandardCharsets.US_ASCII));
    }
  }

  /// The text is `VERSION (builder) #number date`; a version with anything but the characters that
  /// releases are made of is no version, and no part of a path.
  private static String firstWord(String text) {
    int end = text.indexOf(' ');
    String word = end < 0 ? "" : text.substring(0, end);
    return word.matches("[0-9][A-Za-z0-9.+_~-]*") ? word : "";
  }
}
