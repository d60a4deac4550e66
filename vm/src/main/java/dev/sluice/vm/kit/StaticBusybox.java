package dev.sluice.vm.kit;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Finds a busybox on this machine that could run in a guest: statically linked, and with every
/// applet that the guest's scripts call.
///
/// ```
/// ELF64 header:   0x00 magic (4)   0x20 e_phoff (8)   0x36 e_phentsize (2)   0x38 e_phnum (2)
/// program header: 0x00 p_type (4); 3 = PT_INTERP, the loader of a program that is not static
/// ```
final class StaticBusybox {
  private static final List<String> APPLETS =
      List.of(
          "blockdev",
          "cat",
          "cttyhack",
          "cut",
          "dd",
          "devmem",
          "dmesg",
          "grep",
          "head",
          "insmod",
          "mkdir",
          "mount",
          "poweroff",
          "printf",
          "readlink",
          "sed",
          "setsid",
          "sh",
          "sha256sum",
          "stty",
          "sync",
          "uname",
          "usleep",
          "wc",
          "xzcat",
          "zcat");

  private static final int ELF_MAGIC = 0x464c457f;
  private static final int HEADER_BYTES = 0x40;
  private static final int PT_INTERP = 3;

  private StaticBusybox() {}

  /// The busybox on the search path, if it will do.
  ///
  /// @param searchPath the value of `PATH`
  static Optional<Path> onPath(String searchPath) throws IOException, InterruptedException {
    Optional<Path> program = HostProgram.find("busybox", searchPath);
    if (program.isEmpty() || !isStatic(program.get())) {
      return Optional.empty();
    }
    List<String> applets = new ArrayList<>();
    var _ = new HostProgram(List.of(program.get().toString(), "--list")).output(applets::add).run();
    return applets.containsAll(APPLETS) ? program : Optional.empty();
  }

  /// Whether a file is an ELF program that needs no loader.
  static boolean isStatic(Path program) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(program.toFile(), "r")) {
      if (file.length() < HEADER_BYTES) {
        return false;
      }
      ByteBuffer header = read(file, 0, HEADER_BYTES);
      if (header.getInt(0) != ELF_MAGIC) {
        return false;
      }
      long table = header.getLong(0x20);
      int entryBytes = Short.toUnsignedInt(header.getShort(0x36));
      int count = Short.toUnsignedInt(header.getShort(0x38));
      for (int i = 0; i < count; i++) {
        long entry = table + (long) i * entryBytes;
        if (entry < 0 || entry > file.length() - Integer.BYTES) {
          return false;
        }
        if (read(file, entry, Integer.BYTES).getInt(0) == PT_INTERP) {
          return false;
        }
      }
      return true;
    }
  }

  private static ByteBuffer read(RandomAccessFile file, long offset, int count) throws IOException {
    byte[] bytes = new byte[count];
    file.seek(offset);
    file.readFully(bytes);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
