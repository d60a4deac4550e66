package dev.sluice.vm.kit.linux;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class CpioArchiveTest {
  @Test
  void anEntryHasAHexHeaderThenNameAndContentsEachPaddedToFourBytes() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (CpioArchive archive = new CpioArchive(out)) {
      archive.file("init", "hello".getBytes(US_ASCII), true);
    }
    String text = out.toString(US_ASCII);
    assertThat(text)
        .startsWith(
            "070701"
                + "00000001" // inode
                + "000081ED" // regular file, rwxr-xr-x
                + "00000000" // uid
                + "00000000" // gid
                + "00000001" // links
                + "00000000" // time
                + "00000005" // size
                + "00000000000000000000000000000000" // devices
                + "00000005" // name with its NUL
                + "00000000" // checksum, unused in this format
                + "init\0");
    // 110 + 5 bytes are followed by one of padding, 5 bytes of contents by three.
    assertThat(text.substring(115, 124)).isEqualTo("\0hello\0\0\0");
    assertThat(text.substring(124)).startsWith("070701").contains("TRAILER!!!");
    assertThat(text.length() % 4).isZero();
  }

  @Test
  void foldersComeOnceAndBeforeWhatIsInThem() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (CpioArchive archive = new CpioArchive(out)) {
      archive.file("a/b/one", new byte[0], false);
      archive.file("a/b/two", new byte[0], false);
    }
    String text = out.toString(US_ASCII);
    assertThat(text.split("a/b\0", -1)).hasSize(2);
    assertThat(text.indexOf("a\0")).isLessThan(text.indexOf("a/b\0"));
    assertThat(text.indexOf("a/b\0")).isLessThan(text.indexOf("a/b/one\0"));
  }

  @Test
  void aDeviceNodeCarriesItsNumbers() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (CpioArchive archive = new CpioArchive(out)) {
      archive.characterDevice("console", 5, 1);
    }
    assertThat(out.toString(US_ASCII)).startsWith("070701" + "00000001" + "00002180");
    assertThat(out.toString(US_ASCII).substring(78, 94)).isEqualTo("00000005" + "00000001");
  }

  @Test
  void theSameContentsGiveTheSameBytes() throws IOException {
    assertThat(sample()).isEqualTo(sample());
  }

  private static byte[] sample() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (CpioArchive archive = new CpioArchive(out)) {
      archive.file("x/y", new byte[] {1, 2, 3}, false);
    }
    return out.toByteArray();
  }
}
