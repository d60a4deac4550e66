package dev.sluice.vm.kit;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/// The shared libraries of a folder of unpacked packages, and which of them a program loads (System
/// V ABI, chapter 5; the loader's own rules, such as `DT_RUNPATH`, do not matter when every library
/// ends up in one folder).
///
/// ```
/// ELF64 header:   0x00 magic (4)    0x20 e_phoff (8)    0x36 e_phentsize (2)   0x38 e_phnum (2)
/// program header: 0x00 p_type (4)   0x08 p_offset (8)   0x10 p_vaddr (8)       0x20 p_filesz (8)
///                 p_type 1 = PT_LOAD, 2 = PT_DYNAMIC
/// dynamic entry:  0x00 d_tag (8)    0x08 d_val (8)
///                 d_tag 0 = DT_NULL, 1 = DT_NEEDED, 5 = DT_STRTAB, 10 = DT_STRSZ
/// ```
final class SharedLibraries {
  private static final int ELF_MAGIC = 0x464c457f;
  private static final int HEADER_BYTES = 0x40;
  private static final int PT_LOAD = 1;
  private static final int PT_DYNAMIC = 2;
  private static final int DYNAMIC_ENTRY = 16;
  private static final long DT_NULL = 0;
  private static final long DT_NEEDED = 1;
  private static final long DT_STRTAB = 5;
  private static final long DT_STRSZ = 10;

  /// Most bytes of a table that is read: glibc's own has about 40 KiB, Ceph's a MiB.
  private static final long MAX_TABLE = 16L << 20;

  private final Map<String, Path> files;

  private SharedLibraries(Map<String, Path> files) {
    this.files = files;
  }

  /// The libraries below a folder, by file name.
  static SharedLibraries in(Path folder) throws IOException {
    Map<String, Path> files = new HashMap<>();
    if (Files.isDirectory(folder)) {
      try (Stream<Path> walk = Files.walk(folder)) {
        walk.filter(path -> path.getFileName().toString().contains(".so"))
            .forEach(path -> files.putIfAbsent(path.getFileName().toString(), path));
      }
    }
    return new SharedLibraries(files);
  }

  /// What a program needs, and what that needs.
  ///
  /// @throws KitException if a library is not there, or a file is no program
  Map<String, Path> closure(Path program) throws IOException {
    Map<String, Path> found = new TreeMap<>();
    Deque<Path> open = new ArrayDeque<>(List.of(program));
    while (!open.isEmpty()) {
      Path next = open.remove();
      for (String name : needed(next)) {
        Path file = files.get(name);
        if (file == null) {
          throw new KitException(
              next + " needs " + name + ", which no package of the cache has",
              "Delete the cache's file current.");
        }
        if (found.put(name, file) == null) {
          open.add(file);
        }
      }
    }
    return found;
  }

  /// The names in a file's own `DT_NEEDED` entries.
  static List<String> needed(Path file) throws IOException {
    try (RandomAccessFile elf = new RandomAccessFile(file.toFile(), "r")) {
      return needed(elf);
    } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
      throw new KitException(
          file + " is not a program or library for x86-64", "Delete the cache's folder kit.", e);
    }
  }

  private static List<String> needed(RandomAccessFile elf) throws IOException {
    ByteBuffer header = read(elf, 0, HEADER_BYTES);
    if (header.getInt(0) != ELF_MAGIC) {
      throw new IllegalArgumentException("no ELF header");
    }
    int entry = Short.toUnsignedInt(header.getShort(0x36));
    int count = Short.toUnsignedInt(header.getShort(0x38));
    ByteBuffer segments = read(elf, header.getLong(0x20), (long) entry * count);
    for (int i = 0; i < count; i++) {
      int at = i * entry;
      if (segments.getInt(at) == PT_DYNAMIC) {
        ByteBuffer dynamic = read(elf, segments.getLong(at + 0x08), segments.getLong(at + 0x20));
        return names(elf, segments, entry, dynamic);
      }
    }
    return List.of();
  }

  private static List<String> names(
      RandomAccessFile elf, ByteBuffer segments, int entry, ByteBuffer dynamic) throws IOException {
    List<Integer> offsets = new ArrayList<>();
    long table = 0;
    long bytes = 0;
    for (int at = 0; at + DYNAMIC_ENTRY <= dynamic.limit(); at += DYNAMIC_ENTRY) {
      long tag = dynamic.getLong(at);
      long value = dynamic.getLong(at + Long.BYTES);
      if (tag == DT_NULL) {
        break;
      } else if (tag == DT_NEEDED) {
        offsets.add(Math.toIntExact(value));
      } else if (tag == DT_STRTAB) {
        table = value;
      } else if (tag == DT_STRSZ) {
        bytes = value;
      }
    }
    if (offsets.isEmpty()) {
      return List.of();
    }
    ByteBuffer strings = read(elf, fileOffset(segments, entry, table), bytes);
    return offsets.stream().map(offset -> text(strings, offset)).toList();
  }

  /// Where the bytes of a virtual address are in the file.
  private static long fileOffset(ByteBuffer segments, int entry, long address) {
    for (int at = 0; at + entry <= segments.limit(); at += entry) {
      long begin = segments.getLong(at + 0x10);
      long within = address - begin;
      if (segments.getInt(at) == PT_LOAD && within >= 0 && within < segments.getLong(at + 0x20)) {
        return segments.getLong(at + 0x08) + within;
      }
    }
    throw new IllegalArgumentException("no segment holds 0x" + Long.toHexString(address));
  }

  private static String text(ByteBuffer strings, int offset) {
    int end = offset;
    while (strings.get(end) != 0) {
      end++;
    }
    byte[] bytes = new byte[end - offset];
    strings.get(offset, bytes);
    return new String(bytes, StandardCharsets.US_ASCII);
  }

  private static ByteBuffer read(RandomAccessFile file, long offset, long count)
      throws IOException {
    if (offset < 0 || count < 0 || count > MAX_TABLE || offset > file.length() - count) {
      throw new IllegalArgumentException("a table of " + count + " bytes at " + offset);
    }
    byte[] bytes = new byte[Math.toIntExact(count)];
    file.seek(offset);
    file.readFully(bytes);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
