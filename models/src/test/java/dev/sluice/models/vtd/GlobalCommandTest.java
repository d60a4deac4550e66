package dev.sluice.models.vtd;

import static dev.sluice.models.vtd.VtdMachine.DEVICE;
import static dev.sluice.models.vtd.VtdMachine.DOMAIN;
import static dev.sluice.models.vtd.VtdMachine.GCMD;
import static dev.sluice.models.vtd.VtdMachine.GSTS;
import static dev.sluice.models.vtd.VtdMachine.QIE;
import static dev.sluice.models.vtd.VtdMachine.RTADDR;
import static dev.sluice.models.vtd.VtdMachine.SRTP;
import static dev.sluice.models.vtd.VtdMachine.TE;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GlobalCommandTest {
  private final VtdMachine machine = new VtdMachine();
  private final GuestTables tables = machine.tables;

  @AfterEach
  void giveMemoryBack() {
    machine.close();
  }

  private boolean touches(long iova) {
    return machine.device.fill(iova, 4, (byte) 1) == null;
  }

  @Test
  void readsAsZero() {
    machine.enabled();
    assertThat(machine.read32(GCMD)).isZero();
  }

  @Test
  void theRootTableIsTheOneOfTheLastSetCommand() {
    machine.enabled();
    machine.write64(RTADDR, 1L << 40);
    assertThat(machine.device.fill(0x1000, 4, (byte) 1)).isNotNull();
    assertThat((machine.read64(VtdMachine.FRCD + 8) >>> 32) & 0xFF).isEqualTo(1);
    machine.command(SRTP, 0);
    assertThat(machine.device.fill(0x2000, 4, (byte) 1)).isNotNull();
    assertThat((machine.read64(VtdMachine.FRCD + 24) >>> 32) & 0xFF).isEqualTo(8);
  }

  @Test
  void aCommandWithoutTheBitSetsNoRootTable() {
    machine.write64(RTADDR, tables.rootTable());
    machine.command(TE, 0);
    assertThat(machine.read32(GSTS)).isEqualTo(TE);
    assertThat(machine.device.fill(0x1000, 4, (byte) 1)).isNotNull();
  }

  @Test
  void theStatusOfTheRootTableStays() {
    machine.write64(RTADDR, tables.rootTable());
    machine.command(SRTP, 0);
    machine.write32(GCMD, 0);
    assertThat(machine.read32(GSTS)).isEqualTo(SRTP);
  }

  /// Setting the root table forgets nothing by itself: software has to invalidate (CAP.ESRTPS is
  /// clear).
  @Test
  void cachesOutliveANewRootTable() {
    long top = tables.translated(DEVICE, GuestTables.WIDTH_48, DOMAIN);
    tables.map(top, 4, 1, 0x5000, 0x8_0000, GuestTables.READ_WRITE);
    tables.map(top, 4, 1, 0x6000, 0x8_0000, GuestTables.READ_WRITE);
    machine.enabled();
    assertThat(touches(0x5000)).isTrue();
    machine.write64(RTADDR, tables.page());
    machine.command(SRTP, 0);
    assertThat(touches(0x5000)).isTrue();
    assertThat(touches(0x6000)).isTrue();
    machine.queued().submit(0x11, 0, 0x12, 0);
    assertThat(touches(0x5000)).isFalse();
  }

  @Test
  void switchingTranslationRebindsEveryDevice() {
    long top = tables.translated(DEVICE, GuestTables.WIDTH_48, DOMAIN);
    tables.map(top, 4, 1, 0x5000, 0x8_0000, GuestTables.READ_WRITE);
    assertThat(touches(0x5000)).isTrue();
    assertThat(tables.load(0x5000)).isNotZero();
    tables.store(0x5000, 0);

    machine.enabled();
    assertThat(touches(0x5000)).isTrue();
    assertThat(tables.load(0x5000)).isZero();
    assertThat(tables.load(0x8_0000)).isNotZero();

    machine.command(0, TE);
    assertThat(machine.read32(GSTS) & TE).isZero();
    assertThat(touches(0x5000)).isTrue();
    assertThat(tables.load(0x5000)).isNotZero();
  }

  @Test
  void aWriteThatDoesNotCoverALevelLeavesItAlone() {
    machine.queued().enabled();
    machine.iommu.writeRegister(GCMD, 2, 0);
    assertThat(machine.read32(GSTS)).isEqualTo(TE | SRTP | QIE);
    machine.iommu.writeRegister(GCMD + 3, 1, 0x04);
    assertThat(machine.read32(GSTS)).isEqualTo(SRTP | QIE);
  }

  @Test
  void writeBufferFlushesAndWhatIsNotSupportedDoNothing() {
    machine.write32(GCMD, 0x3B80_0000L);
    assertThat(machine.read32(GSTS)).isZero();
  }

  @Test
  void theRootTableIsSetBeforeTranslationStartsWhenBothAreAskedForAtOnce() {
    long top = tables.translated(DEVICE, GuestTables.WIDTH_48, DOMAIN);
    tables.map(top, 4, 1, 0x5000, 0x8_0000, GuestTables.READ_WRITE);
    machine.write64(RTADDR, tables.rootTable());
    machine.write32(GCMD, TE | SRTP);
    assertThat(machine.read32(GSTS)).isEqualTo(TE | SRTP);
    assertThat(touches(0x5000)).isTrue();
  }
}
