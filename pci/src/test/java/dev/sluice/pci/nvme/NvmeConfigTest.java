package dev.sluice.pci.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NvmeConfigTest {
  @Test
  void theUsualNumbersArePossible() {
    NvmeConfig config = NvmeConfig.of("S1");

    assertThat(config.maxIoQueues()).isEqualTo(64);
    assertThat(config.vectors()).isEqualTo(65);
    assertThat(config.workers()).isBetween(2, 8);
  }

  @Test
  void theSerialNumberDecidesTheUuid() {
    assertThat(NvmeConfig.of("A").uuid()).isEqualTo(new NvmeConfig("A", 3, 1).uuid());
    assertThat(NvmeConfig.of("A").uuid()).isNotEqualTo(NvmeConfig.of("B").uuid());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "123456789012345678901", "tab\there", "später"})
  void impossibleSerialNumbersAreRefused(String serial) {
    assertThatIllegalArgumentException().isThrownBy(() -> NvmeConfig.of(serial));
  }

  @ParameterizedTest
  @CsvSource({"0, 1", "1025, 1", "-1, 1", "1, 0", "1, 65"})
  void impossibleNumbersAreRefused(int queues, int workers) {
    assertThatIllegalArgumentException().isThrownBy(() -> new NvmeConfig("A", queues, workers));
  }
}
