package dev.sluice.vm.kit.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.sluice.iommu.RequesterId;
import dev.sluice.vm.kit.linux.GuestParameters.Disk;
import dev.sluice.vm.kit.linux.GuestParameters.Invalidation;
import dev.sluice.vm.kit.linux.GuestParameters.Iommu;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class GuestParametersTest {
  private static final String SHA = "ab".repeat(32);
  private static final Disk DISK = new Disk(RequesterId.of(0, 5, 0), 16 << 20, SHA);
  private static final TestDma DMA =
      new TestDma(
          RequesterId.of(0, 6, 0),
          0x1000_0000L,
          TestDma.Access.WRITE,
          5,
          List.of(
              new RegisterStep.Write(32, 0x10, 0xdeadbeefL),
              new RegisterStep.Poll(64, 0x18, 1, 0, Duration.ofSeconds(2))));

  @Test
  void theFileHasAnAssignmentForEachParameter() {
    GuestParameters parameters =
        new GuestParameters(
            Iommu.VTD,
            Invalidation.LAZY,
            DISK,
            List.of(new DiskWrite(0, 8192, 512, DiskWrite.Mode.DIRECT)),
            Optional.of(DMA),
            Optional.of(DMA.slot()),
            true);
    assertThat(parameters.file())
        .isEqualTo(
            """
            IOMMU='vtd'
            INVALIDATION='lazy'
            DISK_DEVICE='0000:00:05.0'
            DISK_BYTES='16777216'
            DISK_SHA256='%s'
            WRITES='0,8192,512,direct'
            TEST_DEVICE='0000:00:06.0'
            CANARY='0x10000000'
            FAULT_KIND='Write'
            FAULT_REASON='0x05'
            HOLDER='0000:00:06.0'
            INTERACTIVE='1'
            """
                .formatted(SHA));
    assertThat(parameters.registerFile())
        .isEqualTo("write 32 0x10 0xdeadbeef\npoll 64 0x18 0x1 0x0 2000\n");
    assertThat(parameters.kernelArguments())
        .contains("intel_iommu=on", "intremap=off", "iommu.strict=0", "memmap=4096$0x10000000");
  }

  @Test
  void whatIsNotAskedForIsNotExpected() {
    assertThat(with(Iommu.NONE, List.of(), Optional.empty()).expectedChecks())
        .containsExactly("no-iommu", "disk-found", "disk-read", "rebind", "kernel-log");
    assertThat(with(Iommu.NONE, List.of(), Optional.of(DMA)).expectedChecks())
        .contains("dma-arrived")
        .doesNotContain("dma-fault");
    assertThat(with(Iommu.VTD, DiskWrite.plan(0, 8 << 20), Optional.of(DMA)).expectedChecks())
        .containsExactly(
            "dmar-unit",
            "queued-invalidation",
            "disk-found",
            "iommu-group",
            "disk-read",
            "disk-write",
            "rebind",
            "test-device",
            "dma-blocked",
            "dma-fault",
            "kernel-log");
  }

  @Test
  void aHolderIsTakenItsPageTwice() {
    GuestParameters parameters =
        new GuestParameters(
            Iommu.VTD,
            Invalidation.STRICT,
            DISK,
            List.of(),
            Optional.empty(),
            Optional.of(DMA.slot()),
            false);

    assertThat(parameters.expectedChecks()).contains("unmap-waits", "unmap-revokes");
  }

  @Test
  void aHolderWithoutAnIommuIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() ->
            new GuestParameters(
                Iommu.NONE,
                Invalidation.STRICT,
                DISK,
                List.of(),
                Optional.empty(),
                Optional.of(DMA.slot()),
                false));
  }

  @Test
  void aWritePastTheEndOfTheDiskIsRefused() {
    List<DiskWrite> writes =
        List.of(new DiskWrite((16 << 20) - 512, 1024, 512, DiskWrite.Mode.DIRECT));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> with(Iommu.VTD, writes, Optional.empty()));
  }

  @Test
  void aChecksumThatCouldBreakOutOfItsQuotesIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Disk(RequesterId.of(0, 5, 0), 1, "'; reboot; '" + SHA.substring(12)));
  }

  @Test
  void aPlanOfWritesStaysInsideItsRegion() {
    assertThat(DiskWrite.plan(1 << 20, 4096)).isEmpty();
    for (long bytes : List.of(8L << 10, 128L << 10, 512L << 10, 4L << 20, 64L << 20)) {
      assertThat(DiskWrite.plan(1 << 20, bytes))
          .isNotEmpty()
          .allMatch(write -> write.offset() >= 1 << 20)
          .allMatch(write -> write.offset() + write.bytes() <= (1 << 20) + bytes);
    }
  }

  @Test
  void aPollForBitsOutsideItsMaskIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RegisterStep.Poll(32, 0, 1, 2, Duration.ZERO));
    assertThatIllegalArgumentException().isThrownBy(() -> new RegisterStep.Write(64, 4, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new RegisterStep.Write(24, 0, 0));
  }

  private static GuestParameters with(
      Iommu iommu, List<DiskWrite> writes, Optional<TestDma> testDma) {
    return new GuestParameters(
        iommu, Invalidation.STRICT, DISK, writes, testDma, Optional.empty(), false);
  }
}
