package dev.sluice.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BenchOptionsTest {
  @ParameterizedTest
  @CsvSource({"1, 1", "2, 2", "5, 2", "600, 2"})
  void theWarmUpIsAsLongAsTheMeasurementAtMost(int measured, int warmUp) {
    BenchOptions options = new BenchOptions(BootOptions.defaults(), Duration.ofSeconds(measured));
    assertThat(options.warmUp()).isEqualTo(Duration.ofSeconds(warmUp));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 601})
  void aTimeOutOfRangeIsRefused(int seconds) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new BenchOptions(BootOptions.defaults(), Duration.ofSeconds(seconds)));
  }

  @Test
  void aDiskOfTheUsersIsNeverOverwritten() {
    BootOptions defaults = BootOptions.defaults();
    BootOptions withDisk =
        new BootOptions(
            defaults.guest(),
            defaults.iommu(),
            defaults.invalidation(),
            Optional.of(Path.of("precious.img")),
            Optional.empty(),
            Optional.empty(),
            List.of(),
            defaults.memoryMib(),
            defaults.accelerator(),
            false,
            false,
            defaults.patience());
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new BenchOptions(withDisk, Duration.ofSeconds(5)));
  }
}
