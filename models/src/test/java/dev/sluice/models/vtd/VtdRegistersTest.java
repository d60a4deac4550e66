package dev.sluice.models.vtd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VtdRegistersTest {
  private final VtdMachine machine = new VtdMachine();

  @AfterEach
  void giveMemoryBack() {
    machine.close();
  }

  private static long bits(long value, int high, int low) {
    return (value >>> low) & ((1L << (high - low + 1)) - 1);
  }

  /// Offset, bytes, value after reset, and which bits a write of all ones and then of all zeroes
  /// leaves set.
  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "VER,     0x00, 4, 0x10,       0x10,               0x10",
    "GCMD,    0x18, 4, 0,          0,                  0",
    "RTADDR,  0x20, 8, 0,          0x0000FFFFFFFFF000, 0",
    "FSTS,    0x34, 4, 0,          0,                  0",
    "FECTL,   0x38, 4, 0x80000000, 0x80000000,         0",
    "FEDATA,  0x3C, 4, 0,          0xFFFFFFFF,         0",
    "FEADDR,  0x40, 4, 0,          0xFFFFFFFC,         0",
    "FEUADDR, 0x44, 4, 0,          0xFFFFFFFF,         0",
    "AFLOG,   0x58, 8, 0,          0,                  0",
    "PMEN,    0x64, 4, 0,          0,                  0",
    "PLMBASE, 0x68, 4, 0,          0,                  0",
    "PHMBASE, 0x70, 8, 0,          0,                  0",
    "IQH,     0x80, 8, 0,          0,                  0",
    "IQT,     0x88, 8, 0,          0x7FFF0,            0",
    "IQA,     0x90, 8, 0,          0x0000FFFFFFFFF007, 0",
    "ICS,     0x9C, 4, 0,          0,                  0",
    "IECTL,   0xA0, 4, 0x80000000, 0x80000000,         0",
    "IEDATA,  0xA4, 4, 0,          0xFFFFFFFF,         0",
    "IEADDR,  0xA8, 4, 0,          0xFFFFFFFC,         0",
    "IEUADDR, 0xAC, 4, 0,          0xFFFFFFFF,         0",
    "IQERCD,  0xB0, 8, 0,          0,                  0",
    "IRTA,    0xB8, 8, 0,          0,                  0",
    "PQH,     0xC0, 8, 0,          0,                  0",
    "MTRRCAP, 0x100, 8, 0,         0,                  0",
    "IVA,     0x200, 8, 0,         0xFFFFFFFFFFFFF07F, 0",
    "PERFCAP, 0x300, 8, 0,         0,                  0",
    "FRCD0 low,  0x400, 8, 0,      0,                  0",
    "FRCD0 high, 0x408, 8, 0,      0,                  0",
    "FRCD7 high, 0x478, 8, 0,      0,                  0",
    "VCCAP,   0xE30, 8, 0,         0,                  0",
  })
  void everyRegisterTakesTheBitsThatTheSpecificationLetsSoftwareWrite(
      String name, String offset, int bytes, String reset, String ones, String zeroes) {
    long at = Long.decode(offset);
    long atReset = Long.parseUnsignedLong(reset.replace("0x", ""), 16);
    assertThat(machine.iommu.readRegister(at, bytes)).isEqualTo(atReset);
    machine.iommu.writeRegister(at, bytes, -1);
    assertThat(machine.iommu.readRegister(at, bytes))
        .isEqualTo(Long.parseUnsignedLong(ones.replace("0x", ""), 16));
    machine.iommu.writeRegister(at, bytes, 0);
    assertThat(machine.iommu.readRegister(at, bytes))
        .isEqualTo(Long.parseUnsignedLong(zeroes.replace("0x", ""), 16));
  }

  @Test
  void capabilitiesAndStatusAreReadOnly() {
    for (int offset : new int[] {VtdMachine.CAP, VtdMachine.ECAP, VtdMachine.IQH}) {
      long before = machine.read64(offset);
      machine.write64(offset, ~before);
      assertThat(machine.read64(offset)).isEqualTo(before);
    }
    machine.write32(VtdMachine.GSTS, 0xFFFF_FFFFL);
    assertThat(machine.read32(VtdMachine.GSTS)).isZero();
  }

  @Test
  void everyEightByteRegisterCanBeWrittenInHalves() {
    machine.write32(VtdMachine.RTADDR + 4, 0xFFFF_1234L);
    machine.write32(VtdMachine.RTADDR, 0x5678_9FFFL);
    assertThat(machine.read64(VtdMachine.RTADDR)).isEqualTo(0x1234_5678_9000L);
    assertThat(machine.read32(VtdMachine.RTADDR + 4)).isEqualTo(0x1234L);
  }

  @Test
  void capabilitiesPromiseWhatTheUnitDoes() {
    long cap = machine.read64(VtdMachine.CAP);
    assertThat(bits(cap, 2, 0)).as("ND: 16 bits").isEqualTo(6);
    assertThat(bits(cap, 6, 3)).as("AFL, RWBF, PLMR, PHMR").isZero();
    assertThat(bits(cap, 7, 7)).as("CM").isZero();
    assertThat(bits(cap, 12, 8)).as("SAGAW: 39 and 48 bits").isEqualTo(0b00110);
    assertThat(bits(cap, 15, 13)).isZero();
    assertThat(bits(cap, 21, 16)).as("MGAW - 1").isEqualTo(47);
    assertThat(bits(cap, 22, 22)).as("ZLR").isEqualTo(1);
    assertThat(bits(cap, 23, 23)).isZero();
    assertThat(bits(cap, 33, 24) * 16).as("FRO").isEqualTo(0x400);
    assertThat(bits(cap, 37, 34)).as("SLLPS: 2 MiB and 1 GiB").isEqualTo(0b0011);
    assertThat(bits(cap, 38, 38)).isZero();
    assertThat(bits(cap, 39, 39)).as("PSI").isEqualTo(1);
    assertThat(bits(cap, 47, 40)).as("NFR - 1").isEqualTo(7);
    assertThat(bits(cap, 53, 48)).as("MAMV").isEqualTo(18);
    assertThat(bits(cap, 55, 54)).as("DWD, DRD").isEqualTo(3);
    assertThat(bits(cap, 63, 56)).as("FL1GP, PI, FL5LP, ESIRTPS, ESRTPS").isZero();
  }

  @Test
  void extendedCapabilitiesPromiseWhatTheUnitDoes() {
    long ecap = machine.read64(VtdMachine.ECAP);
    assertThat(bits(ecap, 0, 0)).as("C").isEqualTo(1);
    assertThat(bits(ecap, 1, 1)).as("QI").isEqualTo(1);
    assertThat(bits(ecap, 5, 2)).as("DT, IR, EIM").isZero();
    assertThat(bits(ecap, 6, 6)).as("PT").isEqualTo(1);
    assertThat(bits(ecap, 7, 7)).as("SC").isEqualTo(1);
    assertThat(bits(ecap, 17, 8) * 16).as("IRO").isEqualTo(0x200);
    assertThat(bits(ecap, 63, 18)).as("MHMV and everything of later modes").isZero();
  }

  @Test
  void theKnobsShowInTheCapabilities() {
    VtdConfig config = VtdConfig.DEFAULT.withFaultRecordingRegisters(64).withCachingMode(true);
    try (VtdMachine other = new VtdMachine(config)) {
      assertThat(bits(other.read64(VtdMachine.CAP), 47, 40)).isEqualTo(63);
      assertThat(bits(other.read64(VtdMachine.CAP), 7, 7)).isEqualTo(1);
    }
  }

  @Test
  void addressesAreAsWideAsThePlatformSays() {
    try (VtdMachine narrow = new VtdMachine(VtdConfig.DEFAULT.withHostAddressWidth(39))) {
      narrow.write64(VtdMachine.RTADDR, -1);
      assertThat(narrow.read64(VtdMachine.RTADDR)).isEqualTo(0x7F_FFFF_F000L);
      narrow.write64(VtdMachine.IQA, -1);
      assertThat(narrow.read64(VtdMachine.IQA)).isEqualTo(0x7F_FFFF_F007L);
    }
  }

  @Test
  void knobsHaveRanges() {
    VtdConfig config = VtdConfig.DEFAULT;
    assertThatIllegalArgumentException().isThrownBy(() -> config.withHostAddressWidth(38));
    assertThatIllegalArgumentException().isThrownBy(() -> config.withHostAddressWidth(53));
    assertThatIllegalArgumentException().isThrownBy(() -> config.withFaultRecordingRegisters(0));
    assertThatIllegalArgumentException().isThrownBy(() -> config.withFaultRecordingRegisters(65));
  }

  @Test
  void aResetRestoresRegistersAndSwitchesTranslationOff() {
    machine.queued().enabled();
    machine.write32(VtdMachine.FEADDR, 0xFEE0_0000L);
    machine.iommu.reset(() -> {});
    assertThat(machine.read32(VtdMachine.GSTS)).isZero();
    assertThat(machine.read64(VtdMachine.RTADDR)).isZero();
    assertThat(machine.read32(VtdMachine.FEADDR)).isZero();
    assertThat(machine.device.fill(0x1000, 4, (byte) 3)).isNull();
    assertThat(machine.tables.load(0x1000)).isEqualTo(0x0303_0303L);
  }

  @Test
  void afterAResetNothingCachedIsLeft() {
    long top = machine.tables.translated(VtdMachine.DEVICE, 2, VtdMachine.DOMAIN);
    machine.tables.map(top, 4, 1, 0x5000, 0x1000, 3);
    machine.enabled();
    assertThat(machine.device.fill(0x5000, 4, (byte) 1)).isNull();
    machine.iommu.reset(() -> {});
    machine.tables.contextEntry(VtdMachine.DEVICE, 0, 0);
    machine.enabled();
    assertThat(machine.device.fill(0x5000, 4, (byte) 1)).isNotNull();
  }
}
