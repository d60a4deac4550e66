package dev.sluice.vm.kit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SharedLibrariesTest {
  private static final int LOADED_AT = 0x400000;
  private static final int DYNAMIC = 0x200;
  private static final int STRINGS = 0x400;
  private static final int BYTES = 0x800;

  @TempDir private Path folder;

  @Test
  void readsWhatARealProgramNeeds() throws IOException {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    assertThat(SharedLibraries.needed(java)).contains("libjli.so", "libc.so.6");
  }

  @Test
  void findsWhatAProgramNeedsAndWhatThatNeedsOnce() throws IOException {
    Path program = elf("program", "liba.so.1", "libb.so.2");
    Path a = elf("liba.so.1", "libb.so.2", "libc.so.3");
    Path b = elf("libb.so.2", "liba.so.1");
    Path c = elf("deep/libc.so.3");
    elf("libunused.so.1");
    assertThat(SharedLibraries.in(folder).closure(program))
        .isEqualTo(Map.of("liba.so.1", a, "libb.so.2", b, "libc.so.3", c));
  }

  @Test
  void namesALibraryThatIsNotThere() throws IOException {
    Path program = elf("program", "liba.so.1");
    SharedLibraries none = SharedLibraries.in(folder.resolve("missing"));
    assertThatThrownBy(() -> none.closure(program))
        .isInstanceOf(KitException.class)
        .hasMessageContaining(program + " needs liba.so.1");
  }

  @Test
  void aFileThatIsNoProgramIsAFailureThatNamesIt() throws IOException {
    Path text = Files.writeString(folder.resolve("text"), "#!/bin/sh\n".repeat(50));
    assertThatThrownBy(() -> SharedLibraries.needed(text))
        .isInstanceOf(KitException.class)
        .hasMessageContaining(text.toString());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 0x3f, 0x41, 0x100, DYNAMIC + 8, STRINGS + 2})
  void aProgramThatIsCutIsAFailure(int bytes) throws IOException {
    Path cut = elf("cut", "liba.so.1");
    Files.write(cut, Arrays.copyOf(Files.readAllBytes(cut), bytes));
    assertThatThrownBy(() -> SharedLibraries.needed(cut)).isInstanceOf(KitException.class);
  }

  /// A program with one loaded segment, which is the whole file, and its dynamic section.
  private Path elf(String name, String... needed) throws IOException {
    ByteBuffer elf = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    elf.putInt(0, 0x464c457f).putLong(0x20, 0x40);
    elf.putShort(0x36, (short) 56).putShort(0x38, (short) 2);
    segment(elf, 0x40, 1, 0, LOADED_AT, BYTES);
    segment(elf, 0x40 + 56, 2, DYNAMIC, LOADED_AT + DYNAMIC, STRINGS - DYNAMIC);
    int entry = DYNAMIC;
    int text = STRINGS + 1;
    for (String library : needed) {
      entry = dynamic(elf, entry, 1, text - STRINGS);
      elf.put(text, library.getBytes(StandardCharsets.US_ASCII));
      text += library.length() + 1;
    }
    entry = dynamic(elf, entry, 5, LOADED_AT + STRINGS);
    entry = dynamic(elf, entry, 10, BYTES - STRINGS);
    dynamic(elf, entry, 0, 0);
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.write(file, elf.array());
  }

  private static void segment(
      ByteBuffer elf, int at, int type, long offset, long address, long bytes) {
    elf.putInt(at, type).putLong(at + 0x08, offset).putLong(at + 0x10, address);
    elf.putLong(at + 0x20, bytes);
  }

  private static int dynamic(ByteBuffer elf, int at, long tag, long value) {
    elf.putLong(at, tag).putLong(at + 8, value);
    return at + 16;
  }
}
