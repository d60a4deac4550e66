package dev.sluice.vm.kit.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.sluice.iommu.RequesterId;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class BenchParametersTest {
  private static final Workload READS =
      new Workload("reads", Workload.Pattern.RANDOM_READ, 4096, 32);

  @Test
  void theGuestIsToldItsDiskAndWorkloads() {
    assertThat(parameters(GuestParameters.Iommu.VTD, READS).file())
        .isEqualTo(
            """
            IOMMU='vtd'
            INVALIDATION='strict'
            DISK_DEVICE='0000:00:05.0'
            DISK_BYTES='1048576'
            TEST_DEVICE=''
            FIO='/bench/ld-linux-x86-64.so.2 --library-path /bench /bench/fio'
            WORKLOADS='reads,randread,4096,32'
            WARM_UP='1'
            MEASURED='3'
            INTERACTIVE='0'
            """);
  }

  @Test
  void workloadsAreSeparatedBySpaces() {
    Workload writes = new Workload("writes", Workload.Pattern.WRITE, 131072, 8);
    assertThat(parameters(GuestParameters.Iommu.VTD, READS, writes).file())
        .contains("WORKLOADS='reads,randread,4096,32 writes,write,131072,8'\n");
  }

  @Test
  void theChecksSayThatTheDiskIsBehindAnIommuOrNot() {
    assertThat(parameters(GuestParameters.Iommu.VTD, READS).expectedChecks())
        .containsExactly(
            "dmar-unit",
            "queued-invalidation",
            "iommu-group",
            "disk-found",
            "workloads",
            "kernel-log");
    assertThat(parameters(GuestParameters.Iommu.NONE, READS).expectedChecks())
        .containsExactly("no-iommu", "disk-found", "workloads", "kernel-log");
  }

  @Test
  void theKernelGetsTheSamePolicyAsInABoot() {
    assertThat(parameters(GuestParameters.Iommu.VTD, READS).kernelArguments())
        .contains("intel_iommu=on", "iommu.strict=1");
  }

  @Test
  void nothingToDoAndNoTimeForItAreRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> parameters(GuestParameters.Iommu.VTD));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Workload("A b", Workload.Pattern.READ, 512, 1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Workload("a", Workload.Pattern.READ, 512, 0));
  }

  @Test
  void theStandardWorkloadsHaveNamesOfTheirOwn() {
    assertThat(Workload.ALL).extracting(Workload::name).doesNotHaveDuplicates().hasSize(6);
  }

  private static BenchParameters parameters(GuestParameters.Iommu iommu, Workload... workloads) {
    return new BenchParameters(
        iommu,
        GuestParameters.Invalidation.STRICT,
        RequesterId.of(0, 5, 0),
        1 << 20,
        List.of(workloads),
        Duration.ofSeconds(1),
        Duration.ofSeconds(3));
  }
}
