package dev.sluice.vm.guest.vtd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.iommu.RequesterId;
import dev.sluice.vm.guest.DriverBench;
import dev.sluice.vm.guest.machine.HardwareException;
import dev.sluice.vm.guest.machine.Ram;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TableTest {
  private final DriverBench guest = new DriverBench();
  private final Ram ram = guest.machine().ram();

  @AfterEach
  void close() {
    guest.close();
  }

  @Test
  void aMappingIsAPathOfFourEntries() throws Exception {
    SecondStageTable table = new SecondStageTable(guest.machine(), 4);

    table.map(0x1234_5678_9000L, 0xABC000, true, false);

    long level3 = ram.load64(table.address() + 0x24 * 8) ^ 3;
    long level2 = ram.load64(level3 + 0xD1 * 8) ^ 3;
    long level1 = ram.load64(level2 + 0xB3 * 8) ^ 3;
    assertThat(ram.load64(level1 + 0x189 * 8)).isEqualTo(0xABC001);
  }

  @Test
  void threeLevelsBeginLower() throws Exception {
    SecondStageTable table = new SecondStageTable(guest.machine(), 3);

    table.map(0xFFFF_F000L, 0xABC000, false, true);

    long level2 = ram.load64(table.address() + 3 * 8) ^ 3;
    long level1 = ram.load64(level2 + 0x1FF * 8) ^ 3;
    assertThat(ram.load64(level1 + 0x1FF * 8)).isEqualTo(0xABC002);
  }

  @Test
  void unmappingClearsTheEntriesOfTheRangeAndNoOther() throws Exception {
    SecondStageTable table = new SecondStageTable(guest.machine(), 3);
    for (long iova = 0; iova < 4 * 4096; iova += 4096) {
      table.map(iova, 0x10_0000 + iova, true, true);
    }

    assertThat(table.unmap(0x1000, 2)).isEmpty();

    long level2 = ram.load64(table.address()) ^ 3;
    long level1 = ram.load64(level2) ^ 3;
    assertThat(ram.load64(level1)).isEqualTo(0x10_0003);
    assertThat(ram.load64(level1 + 8)).isZero();
    assertThat(ram.load64(level1 + 16)).isZero();
    assertThat(ram.load64(level1 + 24)).isEqualTo(0x10_3003);
  }

  @Test
  void unmappingAllThatALastLevelTableCoversFreesTheTable() throws Exception {
    SecondStageTable table = new SecondStageTable(guest.machine(), 3);
    for (int page = 0; page < 512; page++) {
      table.map(0x20_0000L + page * 4096L, 0x10_0000 + page * 4096L, true, true);
    }
    long level2 = ram.load64(table.address()) ^ 3;
    long level1 = ram.load64(level2 + 8) ^ 3;

    assertThat(table.unmap(0x20_0000, 512)).containsExactly(level1);

    assertThat(ram.load64(level2 + 8)).isZero();
    assertThat(table.allTables()).containsExactly(table.address(), level2);
  }

  @Test
  void aContextEntryNamesDomainTableAndWidth() throws Exception {
    RootTable root = new RootTable(guest.machine());

    root.set(RequesterId.of(0, 5, 1), 0x1234, 0xABC000, 4);

    long contexts = ram.load64(root.address()) ^ 1;
    assertThat(ram.load64(contexts + 0x29 * 16)).isEqualTo(0xABC001);
    assertThat(ram.load64(contexts + 0x29 * 16 + 8)).isEqualTo(0x12_3402);

    root.clear(RequesterId.of(0, 5, 1));
    assertThat(ram.load64(contexts + 0x29 * 16)).isZero();
  }

  @Test
  void addressesComeFromTheTopAlignedToTheirSizeAndTheLastReturnedIsTheFirstUsedAgain()
      throws Exception {
    IovaAllocator addresses = new IovaAllocator(48);

    assertThat(addresses.allocate(0)).isEqualTo(0xFFFF_F000L);
    assertThat(addresses.allocate(3)).isEqualTo(0xFFFF_0000L);
    assertThat(addresses.allocate(0)).isEqualTo(0xFFFE_F000L);
    addresses.free(0xFFFF_F000L, 0);
    addresses.free(0xFFFE_F000L, 0);
    assertThat(addresses.allocate(0)).isEqualTo(0xFFFE_F000L);
  }

  @Test
  void addressesStayOutOfTheInterruptRangeAndWithinTheWidth() throws Exception {
    IovaAllocator wide = new IovaAllocator(48);
    assertThat(wide.allocate(12)).isEqualTo(0xFF00_0000L);
    assertThat(wide.allocate(8)).isEqualTo(0xFEF0_0000L);
    assertThat(wide.allocate(8)).isEqualTo(0xFED0_0000L);

    IovaAllocator narrow = new IovaAllocator(14);
    assertThat(narrow.allocate(1)).isEqualTo(0x2000);
    assertThatThrownBy(() -> narrow.allocate(1)).isInstanceOf(HardwareException.class);
  }

  @Test
  void firmwareTableIsRead() throws Exception {
    byte[] table =
        HexFormat.of()
            .parseHex(
                "2f00000000000000000000000000".substring(0, 24)
                    + "0000"
                    + "2000"
                    + "00"
                    + "00"
                    + "0000"
                    + "0000d9fe00000000"
                    + "0108000000000500"
                    + "0108000000000601");

    FirmwareTable read = FirmwareTable.read(table);

    assertThat(read.registerBase()).isEqualTo(0xFED9_0000L);
    assertThat(read.endpoints()).containsExactly(RequesterId.of(0, 5, 0), RequesterId.of(0, 6, 1));
  }

  @Test
  void aFirmwareTableThatIsCutShortOrEmptyIsRefused() {
    assertThatThrownBy(() -> FirmwareTable.read(new byte[12]))
        .isInstanceOf(HardwareException.class)
        .hasMessageContaining("names no remapping unit");
    assertThatThrownBy(() -> FirmwareTable.read(new byte[5]))
        .isInstanceOf(HardwareException.class)
        .hasMessageContaining("cut short");
    byte[] cut = new byte[20];
    cut[14] = 24;
    assertThatThrownBy(() -> FirmwareTable.read(cut))
        .isInstanceOf(HardwareException.class)
        .hasMessageContaining("cut short");
  }
}
