package dev.sluice.vm.kit.linux;

import dev.sluice.vm.kit.KitException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Reads the section `.modinfo` of a kernel module: texts of the form `key=value`, each ended by a
/// NUL.
///
/// ```
/// ELF64 header:   0x28 e_shoff (8)   0x3A e_shentsize (2)   0x3C e_shnum (2)   0x3E e_shstrndx (2)
/// section header: 0x00 sh_name (4)   0x18 sh_offset (8)     0x20 sh_size (8)
/// ```
final class ModuleInfo {
  private static final int ELF_MAGIC = 0x464c457f;
  private static final int SECTION_TABLE = 0x28;
  private static final int SECTION_ENTRY_SIZE = 0x3a;
  private static final int SECTION_COUNT = 0x3c;
  private static final int SECTION_NAMES = 0x3e;

  private ModuleInfo() {}

  /// The modules that a module needs loaded before it.
  ///
  /// @param file for messages
  /// @throws KitException if the bytes are not a module
  static List<String> depends(Path file, byte[] module) throws KitException {
    try {
      return section(ByteBuffer.wrap(module).order(ByteOrder.LITTLE_ENDIAN), ".modinfo").stream()
          .flatMap(text -> Stream.of(text.split("\0")))
          .filter(entry -> entry.startsWith("depends="))
          .flatMap(entry -> Stream.of(entry.substring("depends=".length()).split(",")))
          .filter(name -> !name.isEmpty())
          .toList();
    } catch (IndexOutOfBoundsException
        | ArithmeticException
        | NegativeArraySizeException
        | IllegalArgumentException e) {
      throw new KitException(
          file + " is not a kernel module", "Delete the kernel's folder and try again.", e);
    }
  }

  private static Optional<String> section(ByteBuffer elf, String wanted) {
    if (elf.getInt(0) != ELF_MAGIC) {
      throw new IllegalArgumentException("no ELF header");
    }
    int table = Math.toIntExact(elf.getLong(SECTION_TABLE));
    int entrySize = Short.toUnsignedInt(elf.getShort(SECTION_ENTRY_SIZE));
    int count = Short.toUnsignedInt(elf.getShort(SECTION_COUNT));
    int names = table + Short.toUnsignedInt(elf.getShort(SECTION_NAMES)) * entrySize;
    String nameTable = contents(elf, names);
    for (int i = 0; i < count; i++) {
      int header = table + i * entrySize;
      if (nameTable.startsWith(wanted + "\0", elf.getInt(header))) {
        return Optional.of(contents(elf, header));
      }
    }
    return Optional.empty();
  }

  /// The bytes of a section as text, one character a byte.
  private static String contents(ByteBuffer elf, int header) {
    int size = Math.toIntExact(elf.getLong(header + 0x20));
    byte[] bytes = new byte[Math.min(size, elf.capacity())];
    elf.get(Math.toIntExact(elf.getLong(header + 0x18)), bytes);
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }
}
