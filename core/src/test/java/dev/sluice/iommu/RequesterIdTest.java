package dev.sluice.iommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequesterIdTest {
  @Test
  void itIsMadeOfBusDeviceAndFunction() {
    RequesterId id = RequesterId.of(0xAB, 0x1F, 7);
    assertThat(id.value()).isEqualTo(0xABFF);
    assertThat(id.bus()).isEqualTo(0xAB);
    assertThat(id.device()).isEqualTo(0x1F);
    assertThat(id.function()).isEqualTo(7);
    assertThat(id).hasToString("ab:1f.7");
    assertThat(RequesterId.of(0, 5, 0)).hasToString("00:05.0");
  }

  @ParameterizedTest
  @CsvSource({"-1, 0, 0", "256, 0, 0", "0, -1, 0", "0, 32, 0", "0, 0, -1", "0, 0, 8"})
  void whatIsNoPciFunctionIsRefused(int bus, int device, int function) {
    assertThatThrownBy(() -> RequesterId.of(bus, device, function))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void itHas16Bits() {
    assertThatThrownBy(() -> new RequesterId(0x10000)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new RequesterId(-1)).isInstanceOf(IllegalArgumentException.class);
  }
}
