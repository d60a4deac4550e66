package dev.sluice.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.Mapping;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import dev.sluice.models.vtd.VtdConfig;
import dev.sluice.models.vtd.VtdIommu;
import dev.sluice.vm.guest.VtdRegisterPage;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class IommuFunctionTest {
  @Test
  void aResetIsOverWhenNothingThatADeviceObtainedBeforeItCanTouchMemory() {
    GuestMemory memory = new GuestMemory();
    memory.addRam(0, RamRegion.allocate(4096));
    VtdIommu iommu = new VtdIommu(VtdConfig.DEFAULT, memory, (_, _) -> {}, Runnable::run);
    AtomicInteger completed = new AtomicInteger();
    AtomicInteger resets = new AtomicInteger();
    try (IommuFunction function = new IommuFunction();
        DmaContext device = DmaContext.behind(iommu, memory, RequesterId.of(0, 5, 0))) {
      device.revocation(Revocation.never());
      function.reset(completed::incrementAndGet);
      assertThat(completed).as("there is no model yet").hasValue(1);
      function.attach(iommu, new VtdRegisterPage(iommu), resets::incrementAndGet);
      Mapping mapping = (Mapping) device.map(0, 4096, Access.READ_WRITE);
      function.reset(completed::incrementAndGet);
      assertThat(completed).as("a device holds a mapping").hasValue(1);
      mapping.close();
      assertThat(completed).hasValue(2);
      assertThat(resets).hasValue(1);
    }
    memory.remove(0, -1, () -> {});
  }
}
