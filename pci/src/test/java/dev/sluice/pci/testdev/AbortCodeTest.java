package dev.sluice.pci.testdev;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.iommu.AbortReason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The numbers of `docs/devices.md`: guests know them, so none may change.
class AbortCodeTest {
  @ParameterizedTest
  @CsvSource({
    "NOT_MAPPED, 1",
    "NO_READ, 2",
    "NO_WRITE, 3",
    "BLOCKED, 4",
    "BAD_TABLE, 5",
    "ADDRESS_WIDTH, 6",
    "INTERRUPT_RANGE, 7",
    "ADDRESS_WRAP, 8",
    "NO_MEMORY, 9",
    "READ_ONLY_MEMORY, 10",
    "MISALIGNED, 11",
    "WOULD_BLOCK, 12",
    "MEMORY_FAILED, 13",
    "BUS_MASTER_OFF, 14",
    "NO_ATOMICS, 15"
  })
  void eachReasonHasItsNumber(AbortReason reason, int code) {
    assertThat(AbortCode.of(reason)).isEqualTo(code);
  }

  @Test
  void eachReasonHasANumberOfItsOwn() {
    assertThat(AbortReason.values())
        .extracting(AbortCode::of)
        .doesNotHaveDuplicates()
        .doesNotContain(AbortCode.NONE, AbortCode.REVOKED);
  }
}
