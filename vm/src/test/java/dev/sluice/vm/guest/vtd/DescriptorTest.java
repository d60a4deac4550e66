package dev.sluice.vm.guest.vtd;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DescriptorTest {
  private static final Capabilities DRAINING = new Capabilities(3L << 54, 0);
  private static final Capabilities PLAIN = new Capabilities(0, 0);

  @Test
  void everyFieldIsWhereTheSpecificationHasIt() {
    assertThat(Descriptor.contextGlobal()).isEqualTo(new Descriptor(0x11, 0));
    assertThat(Descriptor.contextDevice(0x1234, 0x0528))
        .isEqualTo(new Descriptor(0x0528_1234_0031L, 0));
    assertThat(Descriptor.iotlbGlobal(PLAIN)).isEqualTo(new Descriptor(0x12, 0));
    assertThat(Descriptor.iotlbGlobal(DRAINING)).isEqualTo(new Descriptor(0xD2, 0));
    assertThat(Descriptor.iotlbDomain(DRAINING, 7)).isEqualTo(new Descriptor(0x7_00E2, 0));
    assertThat(Descriptor.iotlbPages(DRAINING, 7, 0xFFFF_0000L, 4, true))
        .isEqualTo(new Descriptor(0x7_00F2, 0xFFFF_0044L));
    assertThat(Descriptor.iotlbPages(DRAINING, 7, 0xFFFF_F000L, 0, false))
        .isEqualTo(new Descriptor(0x7_00F2, 0xFFFF_F000L));
    assertThat(Descriptor.waitWriting(2, 0x1234_5678L))
        .isEqualTo(new Descriptor(0x2_0000_0025L, 0x1234_5678L));
  }

  @Test
  void aFaultRecordIsTakenApart() {
    assertThat(DmarFault.decode(0x8000_0005, 0x0000_0028, 0x1234_5678_9000L))
        .isEqualTo(
            new DmarFault(new dev.sluice.iommu.RequesterId(0x28), false, 0x1234_5678_9000L, 5))
        .hasToString(
            "[DMA Write NO_PASID] Request device [00:05.0] fault addr 0x123456789000 [fault reason"
                + " 0x05]");
    assertThat(DmarFault.decode(0xC000_0006, 0, 0).read()).isTrue();
  }

  @Test
  void capabilitiesAreTakenApart() {
    // What Linux printed of the reference server's VT-d.
    Capabilities capabilities = new Capabilities(0x00d2_008c_4066_0462L, 0xf0_0f5aL);

    assertThat(capabilities.domains()).isEqualTo(256);
    assertThat(capabilities.levels()).isEqualTo(4);
    assertThat(capabilities.addressWidth()).isEqualTo(39);
    assertThat(capabilities.faultRecordOffset()).isEqualTo(0x400);
    assertThat(capabilities.faultRecords()).isEqualTo(1);
    assertThat(capabilities.canInvalidatePages(18)).isTrue();
    assertThat(capabilities.canInvalidatePages(19)).isFalse();
    assertThat(capabilities.queuedInvalidation()).isTrue();
    assertThat(capabilities.cachingMode()).isFalse();
    assertThat(capabilities.drainsReads()).isTrue();
  }
}
