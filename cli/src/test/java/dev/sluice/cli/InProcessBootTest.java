package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The whole command with the guest in this process: what a user gets in a second.
class InProcessBootTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"strict", "lazy"})
  void everyCheckPassesBehindTheVtd(String invalidation) throws IOException {
    WholeCommand boot = boot("--invalidation=" + invalidation);
    assertThat(boot.status()).as("%s", boot).isZero();
    assertThat(boot.json("guest.kind")).isEqualTo("in-process");
    assertThat(boot.checks())
        .containsKeys(
            "dmar-unit",
            "disk-read",
            "disk-write",
            "rebind",
            "dma-blocked",
            "dma-fault",
            "unmap-waits",
            "unmap-revokes")
        .allSatisfy((_, outcome) -> assertThat(outcome).startsWith("ok "));
    assertThat(boot.number("iommu.faults")).isOne();
    assertThat(boot.number("iommu.iotlbMisses")).isPositive();
    assertThat(boot.json("notes")).isEqualTo(List.of());
    assertThat(boot.out()).startsWith("in-process guest behind vtd (legacy mode, " + invalidation);
  }

  @Test
  void withoutAnIommuTheStrayDmaArrives() throws IOException {
    WholeCommand boot = boot("--iommu=none");
    assertThat(boot.status()).as("%s", boot).isZero();
    assertThat(boot.checks()).containsKey("dma-arrived").doesNotContainKey("dma-blocked");
    assertThat(boot.json("iommu")).isEqualTo(Map.of("model", "none"));
    assertThat(boot.out()).startsWith("in-process guest without an IOMMU");
  }

  @Test
  void stagesAreShownAndReportedAlike() throws IOException {
    WholeCommand boot = boot();
    List<?> stages = (List<?>) boot.json("stages");
    assertThat(boot.err().lines().map(line -> line.substring(0, line.indexOf(' '))))
        .containsExactlyElementsOf(
            stages.stream().map(stage -> (String) ((Map<?, ?>) stage).get("name")).toList());
  }

  @Test
  void aDiskThatIsADirectoryIsAFailureThatSaysSo() throws IOException {
    failed(boot("--disk=" + folder), "is a directory", "Pass the path of a raw image file");
  }

  @Test
  void aDiskThatIsNotThereIsAFailureThatSaysHowToMakeOne() throws IOException {
    failed(boot("--disk=" + folder.resolve("none")), "does not exist", "truncate -s 64M");
  }

  @Test
  void aDiskThatIsTooSmallIsAFailureThatNamesTheLeastSize() throws IOException {
    Path disk = folder.resolve("small.img");
    try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
      file.setLength((1 << 20) - 1);
    }
    failed(boot("--disk=" + disk), "1048575 bytes; the guest needs 1048576", "Enlarge it");
  }

  @Test
  void aMissingKernelIsFoundBeforeAnythingIsDownloaded() throws IOException {
    Path kernel = folder.resolve("vmlinuz");
    WholeCommand boot = WholeCommand.boot(folder, "--offline", "--kernel=" + kernel);
    failed(boot, "no kernel that can be read at " + kernel, "--kernel");
    assertThat(boot.err()).doesNotContain("kit ...");
  }

  @Test
  void aMissingInitramfsIsFoundBeforeAnythingIsDownloaded() throws IOException {
    WholeCommand boot = WholeCommand.boot(folder, "--offline", "--initrd=" + folder);
    failed(boot, "no initramfs that can be read at " + folder, "--initrd");
    assertThat(boot.err()).doesNotContain("kit ...");
  }

  private static void failed(WholeCommand boot, String message, String advice) {
    assertThat(boot.status()).as("%s", boot).isEqualTo(1);
    assertThat(boot.err()).contains("FAILED", message, "What to do: ", advice);
    assertThat(boot.out()).isEmpty();
    assertThat(boot.json("guest.passed")).isEqualTo(false);
    assertThat((String) boot.json("error.message")).contains(message);
    assertThat((String) boot.json("error.advice")).contains(advice);
  }

  private WholeCommand boot(String... options) throws IOException {
    String[] all = new String[options.length + 1];
    all[0] = "--guest=in-process";
    System.arraycopy(options, 0, all, 1, options.length);
    WholeCommand boot = WholeCommand.boot(folder, all);
    assertThat(Files.exists(folder.resolve("report.json"))).isTrue();
    return boot;
  }
}
