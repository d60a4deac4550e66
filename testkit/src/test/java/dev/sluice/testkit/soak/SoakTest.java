package dev.sluice.testkit.soak;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testkit.spapr.SpaprSoak;
import dev.sluice.testkit.vtd.VtdSoak;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Devices, guests and an invalidator at full speed, and not one stale byte.
class SoakTest {
  private static final long SEED = 0x5_1D1CE;
  private static final long SHORT = 300_000;
  private static final long SHORT_REMAPS = 2_000;
  private static final long LONG = 100_000_000;
  private static final long LONG_REMAPS = 200_000;

  static Stream<Arguments> adapters() {
    return Stream.concat(
        models(),
        Stream.of(
            Arguments.of("slow walks", (Function<SoakMemory, SoakIommu>) _ -> new SlowWalks())));
  }

  static Stream<Arguments> models() {
    return Stream.of(
        Arguments.of("by queue", (Function<SoakMemory, SoakIommu>) VtdSoak::queued),
        Arguments.of("by registers", (Function<SoakMemory, SoakIommu>) VtdSoak::byRegisters),
        Arguments.of("by hypercalls", (Function<SoakMemory, SoakIommu>) SpaprSoak::new));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("adapters")
  void noByteIsStale(String how, Function<SoakMemory, SoakIommu> adapter) {
    SoakReport report = Soak.run(SoakPlan.onAllCores(SEED, SHORT, SHORT_REMAPS), adapter);

    assertThat(report.accesses()).isGreaterThanOrEqualTo(SHORT);
    assertThat(report.remaps()).isGreaterThanOrEqualTo(SHORT_REMAPS);
    assertThat(report.refused()).isPositive();
    assertThat(report.mappings()).isPositive();
    assertThat(report.handedOver()).isPositive();
    assertThat(report.throughFiles()).isPositive();
    assertThat(report.increments()).isPositive();
    assertThat(report.withdrawals()).isPositive();
    assertThat(report.invalidations()).isPositive();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("models")
  @Tag("long")
  @Timeout(value = 25, unit = TimeUnit.MINUTES)
  void noByteIsStaleInAHundredMillionAccesses(String how, Function<SoakMemory, SoakIommu> adapter) {
    SoakReport report = Soak.run(SoakPlan.onAllCores(SEED, LONG, LONG_REMAPS), adapter);

    assertThat(report.accesses()).isGreaterThanOrEqualTo(LONG);
    assertThat(report.remaps()).isGreaterThanOrEqualTo(LONG_REMAPS);
    assertThat(report.revoked()).isPositive();
  }
}
