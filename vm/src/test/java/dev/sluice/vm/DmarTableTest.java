package dev.sluice.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.iommu.RequesterId;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class DmarTableTest {
  @Test
  void listsEachEndpointInTheScopeOfOneUnit() {
    byte[] table =
        DmarTable.of(48, 0xFEBF_B000L, List.of(RequesterId.of(0, 5, 0), RequesterId.of(0, 6, 1)));

    // VT-d 8.1 to 8.3.1, by hand.
    String expected =
        "2f"
            + "00"
            + "00".repeat(10)
            + "0000"
            + "2000"
            + "00"
            + "00"
            + "0000"
            + "00b0bffe00000000"
            + "01"
            + "08"
            + "0000"
            + "00"
            + "00"
            + "0500"
            + "01"
            + "08"
            + "0000"
            + "00"
            + "00"
            + "0601";
    assertThat(HexFormat.of().formatHex(table)).isEqualTo(expected);
  }
}
