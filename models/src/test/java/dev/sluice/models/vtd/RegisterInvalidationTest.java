package dev.sluice.models.vtd;

import static dev.sluice.models.vtd.VtdMachine.BIT_63;
import static dev.sluice.models.vtd.VtdMachine.CCMD;
import static dev.sluice.models.vtd.VtdMachine.DEVICE;
import static dev.sluice.models.vtd.VtdMachine.DOMAIN;
import static dev.sluice.models.vtd.VtdMachine.IOTLB;
import static dev.sluice.models.vtd.VtdMachine.IVA;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RegisterInvalidationTest {
  private static final long A = 0x10_0000;
  private static final long B = 0x20_0000;
  private static final long DOMAIN_FIELD = (long) DOMAIN << 32;

  private final VtdMachine machine = new VtdMachine();
  private final GuestTables tables = machine.tables;

  @BeforeEach
  void touchTwoPagesAndUnmapThem() {
    long top = tables.translated(DEVICE, GuestTables.WIDTH_39, DOMAIN);
    tables.map(top, 3, 1, A, 0x8_0000, GuestTables.READ_WRITE);
    tables.map(top, 3, 1, B, 0x8_0000, GuestTables.READ_WRITE);
    machine.enabled();
    assertThat(touches(A)).isTrue();
    assertThat(touches(B)).isTrue();
    tables.unmap(top, 3, 1, A);
    tables.unmap(top, 3, 1, B);
  }

  @AfterEach
  void giveMemoryBack() {
    machine.close();
  }

  private boolean touches(long iova) {
    return machine.device.fill(iova, 4, (byte) 1) == null;
  }

  private long actualIotlb() {
    return (machine.read64(IOTLB) >>> 57) & 3;
  }

  private long actualContext() {
    return (machine.read64(CCMD) >>> 59) & 3;
  }

  @Test
  void globalIotlb() {
    machine.write64(IOTLB, BIT_63 | (1L << 60));
    assertThat(machine.read64(IOTLB)).isEqualTo((1L << 60) | (1L << 57));
    assertThat(touches(A)).isFalse();
    assertThat(touches(B)).isFalse();
  }

  @Test
  void domainIotlb() {
    machine.write64(IOTLB, BIT_63 | (2L << 60) | DOMAIN_FIELD + (1L << 32));
    assertThat(touches(A)).isTrue();
    machine.write64(IOTLB, BIT_63 | (2L << 60) | DOMAIN_FIELD);
    assertThat(actualIotlb()).isEqualTo(2);
    assertThat(touches(A)).isFalse();
  }

  @Test
  void pagesOfTheIotlbAndNoOthers() {
    machine.write64(IVA, A | 0x40);
    machine.write64(IOTLB, BIT_63 | (3L << 60) | (3L << 48) | DOMAIN_FIELD);
    assertThat(actualIotlb()).isEqualTo(3);
    assertThat(touches(A)).isFalse();
    assertThat(touches(B)).isTrue();
    assertThat(machine.iommu.statistics().invalidations().iotlbDomain()).isZero();
  }

  @Test
  void writingTheUpperHalfStartsIt() {
    machine.write32(IOTLB, 0);
    machine.write32(IOTLB + 4, 0x9000_0000L);
    assertThat(actualIotlb()).isEqualTo(1);
    assertThat(touches(A)).isFalse();
  }

  @Test
  void writingTheLowerHalfStartsNothing() {
    machine.write32(CCMD, 0x1234);
    assertThat(machine.read64(CCMD)).isEqualTo(0x1234);
    machine.write32(CCMD + 4, 0xA000_0000L);
    assertThat(machine.iommu.statistics().invalidations().contextGlobal()).isEqualTo(1);
    machine.write32(CCMD, 0x1234);
    assertThat(machine.iommu.statistics().invalidations().contextGlobal()).isEqualTo(1);
  }

  @Test
  void aReservedGranularityIsIgnoredAndReportedAsNothingDone() {
    machine.write64(IOTLB, BIT_63 | (1L << 60));
    machine.write64(IOTLB, BIT_63);
    assertThat(machine.read64(IOTLB)).isZero();
    machine.write64(CCMD, BIT_63 | (1L << 61));
    machine.write64(CCMD, BIT_63);
    assertThat(machine.read64(CCMD)).isZero();
  }

  @Test
  void anAddressMaskAboveTheMaximumIsIgnoredAndReportedAsNothingDone() {
    machine.write64(IVA, 19);
    machine.write64(IOTLB, BIT_63 | (3L << 60) | DOMAIN_FIELD);
    assertThat(machine.read64(IOTLB) & BIT_63).isZero();
    assertThat(actualIotlb()).isZero();
    assertThat(touches(A)).isTrue();
  }

  @Test
  void whileTheQueueIsOnRequestsAreIgnoredAndReportedAsNothingDone() {
    machine.queued();
    machine.write64(IOTLB, BIT_63 | (1L << 60));
    machine.write64(CCMD, BIT_63 | (1L << 61));
    assertThat(machine.read64(IOTLB)).isEqualTo(1L << 60);
    assertThat(machine.read64(CCMD)).isEqualTo(1L << 61);
    assertThat(touches(A)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void contextCommandsForgetTheEntry(long granularity) {
    tables.contextEntry(DEVICE, 0, 0);
    machine.write64(CCMD, BIT_63 | (granularity << 61) | ((long) DEVICE.value() << 16) | DOMAIN);
    assertThat(actualContext()).isEqualTo(granularity);
    assertThat(touches(A)).isFalse();
  }

  @Test
  void contextCommandsForOthersDoNot() {
    tables.contextEntry(DEVICE, 0, 0);
    machine.write64(CCMD, BIT_63 | (2L << 61) | (DOMAIN + 1));
    machine.write64(CCMD, BIT_63 | (3L << 61) | ((long) (DEVICE.value() + 8) << 16) | DOMAIN);
    machine.write64(CCMD, BIT_63 | (3L << 61) | ((long) DEVICE.value() << 16) | (DOMAIN + 1));
    assertThat(touches(A)).isTrue();
  }
}
