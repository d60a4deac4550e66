package dev.sluice.vm.kit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.vm.kit.linux.GuestParameters.Invalidation;
import dev.sluice.vm.kit.linux.GuestParameters.Iommu;
import dev.sluice.vm.kit.qemu.QemuOutcome;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Boots the kit's guest on QEMU's own VT-d, NVMe controller and `edu` device, none of it ours:
/// what passes and fails here is the guest's checks alone. A check that passes on a broken machine
/// is broken itself.
@Tag("guest")
class ReferenceBootTest {
  @TempDir private Path run;

  @Test
  void everyCheckPassesOnQemusOwnDevicesInStrictMode() throws Exception {
    ReferenceMachine machine = new ReferenceMachine(run);
    ReferenceMachine.Result result = machine.boot();
    assertThat(result.failures()).as(result.description()).isEmpty();
    assertThat(result.report().passed(result.expected())).isTrue();
    assertThat(result.report().kernel()).isNotEmpty();
    assertThat(result.report().log()).anyMatch(line -> line.contains("Linux version"));
  }

  @Test
  @Tag("long")
  void everyCheckPassesInLazyMode() throws Exception {
    ReferenceMachine machine = new ReferenceMachine(run);
    machine.invalidation = Invalidation.LAZY;
    ReferenceMachine.Result result = machine.boot();
    assertThat(result.failures()).as(result.description()).isEmpty();
  }

  @Test
  @Tag("long")
  void everyCheckPassesWithoutAnIommuWhereNoneWasAskedFor() throws Exception {
    ReferenceMachine machine = new ReferenceMachine(run);
    machine.iommu = Iommu.NONE;
    machine.withQemuIommu = false;
    ReferenceMachine.Result result = machine.boot();
    assertThat(result.failures()).as(result.description()).isEmpty();
  }

  @Test
  @Tag("long")
  void withoutTheIommuThatWasAskedForEveryCheckOfItFails() throws Exception {
    ReferenceMachine machine = new ReferenceMachine(run);
    machine.withQemuIommu = false;
    ReferenceMachine.Result result = machine.boot();
    assertThat(result.failures())
        .as(result.description())
        .containsExactlyInAnyOrder(
            "dmar-unit", "queued-invalidation", "iommu-group", "dma-blocked", "dma-fault");
  }

  @Test
  @Tag("long")
  void aDiskWithOneWrongByteAndAnotherPolicyFailTheirChecks() throws Exception {
    ReferenceMachine machine = new ReferenceMachine(run);
    machine.flipOneByte = true;
    machine.kernelArgument = "iommu.strict=0";
    ReferenceMachine.Result result = machine.boot();
    assertThat(result.failures())
        .as(result.description())
        .containsExactlyInAnyOrder("disk-read", "iommu-group");
  }

  @Test
  @Tag("long")
  void aDiskThatFailsWritesFailsTheWriteAndShowsInTheLog() throws Exception {
    ReferenceMachine machine = new ReferenceMachine(run);
    machine.backing = ReferenceMachine.Backing.WRITES_FAIL;
    ReferenceMachine.Result result = machine.boot();
    assertThat(result.failures())
        .as(result.description())
        .containsExactlyInAnyOrder("disk-write", "kernel-log", "disk-written");
  }

  @Test
  @Tag("long")
  void writesThatNeverReachTheFileAreSeenByTheHostAlone() throws Exception {
    ReferenceMachine machine = new ReferenceMachine(run);
    machine.backing = ReferenceMachine.Backing.WRITES_ARE_LOST;
    ReferenceMachine.Result result = machine.boot();
    assertThat(result.failures()).as(result.description()).containsExactly("disk-written");
  }

  @Test
  @Tag("long")
  void aShorterDiskAndAMissingTestDeviceFailTheirChecks() throws Exception {
    ReferenceMachine machine = new ReferenceMachine(run);
    machine.missingSectors = 3;
    machine.withTestDevice = false;
    ReferenceMachine.Result result = machine.boot();
    assertThat(result.failures())
        .as(result.description())
        .containsExactlyInAnyOrder(
            "disk-found", "disk-read", "test-device", "dma-blocked", "dma-fault");
  }

  @Test
  @Tag("long")
  void anIommuThatNobodyAskedForFails() throws Exception {
    ReferenceMachine machine = new ReferenceMachine(run);
    machine.iommu = Iommu.NONE;
    machine.kernelArgument = "intel_iommu=on";
    ReferenceMachine.Result result = machine.boot();
    assertThat(result.failures())
        .as(result.description())
        .containsExactlyInAnyOrder("no-iommu", "dma-arrived");
  }

  @Test
  @Tag("long")
  void aPanicIsNamedAndFailsEveryCheck() throws Exception {
    ReferenceMachine machine = new ReferenceMachine(run);
    machine.kernelArgument = "rdinit=/nothing";
    ReferenceMachine.Result result = machine.boot();
    assertThat(result.outcome().kind()).isEqualTo(QemuOutcome.Kind.PANICKED);
    assertThat(result.failures()).containsAll(result.expected()).contains("finished");
  }
}
