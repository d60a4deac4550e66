package dev.sluice.vm.kit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StaticBusyboxTest {
  @TempDir private Path folder;

  @Test
  void aProgramWithALoaderIsNotStatic() throws IOException {
    assertThat(StaticBusybox.isStatic(elf(1, 1))).isTrue();
    assertThat(StaticBusybox.isStatic(elf(1, 3))).isFalse();
    assertThat(StaticBusybox.isStatic(elf(1))).isTrue();
  }

  @Test
  void aFileThatIsNoProgramIsNotStatic() throws IOException {
    assertThat(StaticBusybox.isStatic(Files.writeString(folder.resolve("text"), "x"))).isFalse();
    assertThat(StaticBusybox.isStatic(Files.write(folder.resolve("zero"), new byte[100])))
        .isFalse();
    Path cut = elf(1, 1, 1);
    Files.write(cut, Arrays.copyOf(Files.readAllBytes(cut), 0x41));
    assertThat(StaticBusybox.isStatic(cut)).isFalse();
  }

  @Test
  void aScriptOfThatNameWillNotDo() throws Exception {
    Path script = Files.writeString(folder.resolve("busybox"), "#!/bin/sh\necho sh\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    assertThat(StaticBusybox.onPath(folder.toString())).isEmpty();
    assertThat(StaticBusybox.onPath("/nowhere")).isEmpty();
  }

  private Path elf(int... segmentTypes) throws IOException {
    ByteBuffer elf =
        ByteBuffer.allocate(0x40 + 56 * segmentTypes.length).order(ByteOrder.LITTLE_ENDIAN);
    elf.putInt(0, 0x464c457f);
    elf.putLong(0x20, 0x40);
    elf.putShort(0x36, (short) 56);
    elf.putShort(0x38, (short) segmentTypes.length);
    for (int i = 0; i < segmentTypes.length; i++) {
      elf.putInt(0x40 + 56 * i, segmentTypes[i]);
    }
    return Files.write(folder.resolve("elf"), elf.array());
  }
}
