package dev.sluice.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The MSI-X capability, its table and pending bits (PCIe 7.7.2), and delivery by them (6.1.4).
class MsixTest {
  private static final int ENABLE = 0x8000;
  private static final int FUNCTION_MASK = 0x4000;

  private final MsixTable table = new MsixTable(65);
  private final MsixCapability msix = new MsixCapability(table, 4);
  private final ConfigSpace config =
      ConfigSpace.builder()
          .id(1, 2)
          .bar(Bar.memory32(4, table.barSize(), table))
          .capability(msix)
          .build();
  private final List<String> messages = new ArrayList<>();
  private final MsixInterrupts interrupts =
      new MsixInterrupts(msix, (address, data) -> messages.add("%x=%x".formatted(address, data)));

  private void enable(int bits) {
    config.write(0x42, 2, bits);
  }

  private void program(int vector, long address, int data, int control) {
    table.write(16L * vector, 8, address);
    table.write(16L * vector + 8, 4, data);
    table.write(16L * vector + 12, 4, control);
  }

  private boolean pendingBit(int vector) {
    return (table.read(table.pendingOffset() + vector / 8, 1) >>> (vector % 8) & 1) != 0;
  }

  @Test
  void capabilityTellsWhereTheTableAndThePendingBitsAre() {
    assertThat(config.read(0x40, 1)).isEqualTo(0x11);
    assertThat(config.read(0x42, 2)).as("vectors - 1").isEqualTo(64);
    assertThat(config.read(0x44, 4)).as("table").isEqualTo(4);
    assertThat(config.read(0x48, 4)).as("pending bits").isEqualTo(0x1004);
    assertThat(table.barSize()).isEqualTo(0x2000);
  }

  @ParameterizedTest
  @CsvSource({"1, 4096, 8192", "256, 4096, 8192", "257, 8192, 16384", "2048, 32768, 65536"})
  void tableAndPendingBitsAreOnPagesOfTheirOwn(int vectors, long pendingOffset, long barSize) {
    MsixTable other = new MsixTable(vectors);

    assertThat(other.pendingOffset()).isEqualTo(pendingOffset);
    assertThat(other.barSize()).isEqualTo(barSize);
  }

  @Test
  void impossibleNumbersOfVectorsAreRefused() {
    assertThatThrownBy(() -> new MsixTable(0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new MsixTable(2049)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new MsixCapability(table, 6))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void entriesAreMaskedAfterReset() {
    assertThat(table.read(12, 4)).isEqualTo(1);
    program(0, 0xfee0_0000L, 0x41, 0);
    table.pending(3, true);

    table.reset();

    assertThat(table.read(0, 8)).isZero();
    assertThat(table.read(8, 8)).isEqualTo(1L << 32);
    assertThat(pendingBit(3)).isFalse();
  }

  @Test
  void entriesKeepWhatIsWrittenExceptReservedBits() {
    program(64, 0x1_fee0_0003L, 0x1234_5678, -1);

    assertThat(table.read(16 * 64, 8)).isEqualTo(0x1_fee0_0000L);
    assertThat(table.address(64)).isEqualTo(0x1_fee0_0000L);
    assertThat(table.data(64)).isEqualTo(0x1234_5678);
    assertThat(table.read(16 * 64 + 12, 4)).isEqualTo(1);
    assertThat(table.read(16 * 64 + 9, 2)).as("any size").isEqualTo(0x3456);
  }

  @Test
  void writesOfOddSizeAndWritesToPendingBitsAreIgnored() {
    table.write(0, 1, 0xff);
    table.write(2, 4, -1);
    table.write(12, 8, 0);
    table.write(table.pendingOffset(), 8, -1);
    table.write(16 * 65, 4, -1);

    assertThat(table.read(0, 8)).isZero();
    assertThat(table.read(12, 4)).isEqualTo(1);
    assertThat(table.read(table.pendingOffset(), 8)).isZero();
    assertThat(table.read(16 * 65, 4)).isZero();
  }

  @Test
  void aMessageGoesWhereItsEntrySays() {
    enable(ENABLE);
    program(7, 0xfee0_1000L, 0x55, 0);

    interrupts.signal(7);

    assertThat(messages).containsExactly("fee01000=55");
    assertThat(pendingBit(7)).isFalse();
  }

  @Test
  void withoutEnableNothingIsSentNorRemembered() {
    program(7, 0xfee0_1000L, 0x55, 0);
    interrupts.signal(7);
    enable(ENABLE);

    assertThat(messages).isEmpty();
    assertThat(pendingBit(7)).isFalse();
  }

  @Test
  void aMaskedMessageIsPendingAndGoesOutOnceWhenUnmasked() {
    enable(ENABLE);
    program(64, 0xfee0_1000L, 0x55, 1);
    interrupts.signal(64);
    interrupts.signal(64);
    assertThat(messages).isEmpty();
    assertThat(pendingBit(64)).isTrue();
    assertThat(table.pending(64)).isTrue();

    table.write(16 * 64 + 12, 4, 0);

    assertThat(messages).containsExactly("fee01000=55");
    assertThat(pendingBit(64)).isFalse();
  }

  @Test
  void theFunctionMaskHoldsAllVectorsBack() {
    enable(ENABLE | FUNCTION_MASK);
    program(1, 0xfee0_1000L, 1, 0);
    program(2, 0xfee0_2000L, 2, 0);
    interrupts.signal(2);
    interrupts.signal(1);
    assertThat(messages).isEmpty();
    assertThat(msix.functionMasked()).isTrue();

    enable(ENABLE);

    assertThat(messages).containsExactlyInAnyOrder("fee01000=1", "fee02000=2");
  }

  @Test
  void aVectorThatDoesNotExistIsADefectOfTheDevice() {
    enable(ENABLE);

    assertThatThrownBy(() -> interrupts.signal(65)).isInstanceOf(IndexOutOfBoundsException.class);
  }
}
