package dev.sluice.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class DiskImageTest {
  @TempDir Path folder;

  @Test
  void theChecksumOfAMadeImageIsThatOfItsFile() throws Exception {
    DiskImage image = DiskImage.create(folder.resolve("disk"));

    byte[] content = Files.readAllBytes(image.file());
    assertThat(content).hasSize((int) DiskImage.SCRATCH_BYTES);
    assertThat(image.sha256()).isEqualTo(sha256(content));
    assertThat(image.scratch()).isTrue();
  }

  @Test
  void aMadeImageNeverReplacesAFile() throws Exception {
    Path taken = Files.writeString(folder.resolve("disk"), "precious");

    assertThatThrownBy(() -> DiskImage.create(taken)).isInstanceOf(BootException.class);
    assertThat(taken).hasContent("precious");
  }

  @Test
  void theOddTailOfAUsersImageIsLeftOut() throws Exception {
    Path odd = folder.resolve("odd");
    byte[] content = new byte[(1 << 20) + 100];
    Arrays.fill(content, (byte) 7);
    Files.write(odd, content);

    DiskImage image = DiskImage.open(odd);

    assertThat(image.bytes()).isEqualTo(1 << 20);
    assertThat(image.sha256()).isEqualTo(sha256(Arrays.copyOf(content, 1 << 20)));
    assertThat(image.scratch()).isFalse();
  }

  @Test
  void aDirectoryIsNamedAsOne() {
    assertThatThrownBy(() -> DiskImage.open(folder))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("is a directory");
  }

  @Test
  void aMissingImageIsNamed() {
    assertThatThrownBy(() -> DiskImage.open(folder.resolve("none")))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("does not exist");
  }

  @Test
  void anImageThatIsTooSmallIsRefusedWithBothSizes() throws Exception {
    Path small = folder.resolve("small");
    try (RandomAccessFile file = new RandomAccessFile(small.toFile(), "rw")) {
      file.setLength(4096);
    }

    assertThatThrownBy(() -> DiskImage.open(small))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("4096")
        .hasMessageContaining("1048576");
  }

  @Test
  @Timeout(30)
  void aPipeIsRefusedAndNotWaitedFor() throws Exception {
    Path pipe = folder.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();

    assertThatThrownBy(() -> DiskImage.open(pipe))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("neither a file nor a block device");
  }

  @Test
  void aCharacterDeviceIsRefused() {
    assertThatThrownBy(() -> DiskImage.open(Path.of("/dev/null")))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("neither a file nor a block device");
  }

  @Test
  void anEmptyPathIsCalledSo() {
    assertThatThrownBy(() -> DiskImage.open(Path.of("")))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("is empty");
  }

  private static String sha256(byte[] content) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
  }
}
