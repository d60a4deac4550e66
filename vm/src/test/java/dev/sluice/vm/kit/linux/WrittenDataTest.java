package dev.sluice.vm.kit.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.vm.check.GuestCheck;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WrittenDataTest {
  private static final DiskWrite ASKED = new DiskWrite(4096, 8192, 512, DiskWrite.Mode.DIRECT);

  @TempDir private Path folder;
  private Path disk;
  private String sha256;

  @BeforeEach
  void writeDisk() throws Exception {
    byte[] contents = new byte[64 << 10];
    new Random(7).nextBytes(contents);
    disk = Files.write(folder.resolve("disk"), contents);
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    sha256 = HexFormat.of().formatHex(digest.digest(Arrays.copyOfRange(contents, 4096, 12288)));
  }

  @Test
  void whatTheGuestWroteIsFoundInTheFile() throws Exception {
    GuestCheck check = check(new WrittenRange(4096, 8192, sha256));
    assertThat(check)
        .isEqualTo(GuestCheck.pass("disk-written", "8192 bytes in 1 ranges are in the file"));
  }

  @Test
  void oneByteThatNeverReachedTheFileFails() throws Exception {
    byte[] contents = Files.readAllBytes(disk);
    contents[12287] ^= 1;
    Files.write(disk, contents);
    assertThat(check(new WrittenRange(4096, 8192, sha256)).passed()).isFalse();
  }

  @Test
  void aRangeThatTheGuestDidNotReportFails() throws Exception {
    assertThat(WrittenData.check(disk, List.of(ASKED), List.of()).detail())
        .contains("reported 0 times");
    assertThat(check(new WrittenRange(4096, 512, sha256)).passed()).isFalse();
  }

  @Test
  void aRangeReportedTwiceFails() throws Exception {
    WrittenRange range = new WrittenRange(4096, 8192, sha256);
    assertThat(WrittenData.check(disk, List.of(ASKED), List.of(range, range)).passed()).isFalse();
  }

  @Test
  void aFileThatEndsBeforeTheRangeFails() throws Exception {
    Files.write(disk, new byte[5000]);
    assertThat(check(new WrittenRange(4096, 8192, sha256)).passed()).isFalse();
  }

  private GuestCheck check(WrittenRange reported) throws Exception {
    return WrittenData.check(disk, List.of(ASKED), List.of(reported));
  }
}
