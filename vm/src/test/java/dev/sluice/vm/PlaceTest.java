package dev.sluice.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.vm.kit.qemu.VfioUserDevice;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class PlaceTest {
  /// So that an invalidation is complete when the write that queued it is, and nobody has to ask.
  @Test
  void onlyRegistersThatAreReadAfterEachWriteAreWrittenWithAWait() {
    assertThat(Place.values())
        .filteredOn(place -> place.behind(Path.of("/s")).writes() == VfioUserDevice.Writes.AWAITED)
        .containsExactly(Place.IOMMU);
  }

  @Test
  void aFunctionIsBehindItsSocketInItsSlot() {
    VfioUserDevice disk = Place.NVME.behind(Path.of("/r/nvme"));
    assertThat(disk.socket()).isEqualTo(Path.of("/r/nvme"));
    assertThat(disk.slot()).isEqualTo(Place.NVME.requester());
  }
}
