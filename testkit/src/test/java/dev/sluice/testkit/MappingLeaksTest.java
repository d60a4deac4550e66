package dev.sluice.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

class MappingLeaksTest {

  /// What the test's failure says; nothing when it passes.
  private static List<Throwable> failures(String test) {
    SummaryGeneratingListener listener = new SummaryGeneratingListener();
    LauncherFactory.create()
        .execute(
            LauncherDiscoveryRequestBuilder.request()
                .selectors(selectMethod(CarelessDevice.class, test))
                .forExecution()
                .listeners(listener)
                .build());
    assertThat(listener.getSummary().getTestsStartedCount()).isOne();
    return listener.getSummary().getFailures().stream()
        .map(TestExecutionSummary.Failure::getException)
        .toList();
  }

  @Test
  void aTestThatClosesItsMappingsPasses() {
    assertThat(failures("closesWhatItMaps")).isEmpty();
  }

  @Test
  void aRefusalIsNoLeak() {
    assertThat(failures("isRefused")).isEmpty();
  }

  @Test
  void aTestThatLeavesAMappingOpenFailsAndSaysWhereItWasOpened() {
    assertThat(failures("leavesOneOpen"))
        .singleElement()
        .satisfies(failure ->
            assertThat(failure)
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("00:05.0 holds 1")
                .hasMessageContaining("mapping of 64 bytes at 0x0 by 00:05.0 for READ")
                .hasMessageContaining("CarelessDevice.leavesOneOpen("));
  }

  @Test
  void aWatchedContextIsEnoughToFindALeak() {
    assertThat(failures("leavesOneOpenThatNobodyRemembers"))
        .singleElement()
        .satisfies(failure -> assertThat(failure).hasMessageContaining("00:05.0 holds 1"));
  }

  @Test
  void aRememberedMappingIsEnoughToFindALeak() {
    assertThat(failures("leavesOneOpenOfAContextThatNobodyWatches"))
        .singleElement()
        .satisfies(failure -> assertThat(failure).hasMessageContaining("opened here"));
  }

  @Test
  void aBounceMappingIsALeakToo() {
    assertThat(failures("leavesABounceMappingOpen"))
        .singleElement()
        .satisfies(failure ->
            assertThat(failure)
                .hasMessageContaining("00:06.0 holds 0, and 8192 bytes for bounce mappings")
                .hasMessageContaining("CarelessDevice.leavesABounceMappingOpen("));
  }

  @Test
  void aTestThatFailsByItselfIsLeftAlone() {
    assertThat(failures("failsBeforeItCloses"))
        .singleElement()
        .satisfies(failure -> {
          assertThat(failure).hasMessage("a defect of its own");
          assertThat(failure.getSuppressed()).isEmpty();
        });
  }
}
