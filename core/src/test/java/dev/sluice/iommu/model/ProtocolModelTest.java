package dev.sluice.iommu.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.iommu.model.Search.Verdict;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Every scenario in every order of steps, and with every line of the protocol left out. The models
/// are written beside the classes, not made from them: `stress` tries the classes themselves.
class ProtocolModelTest {
  /// A scenario and its slips.
  private record Model<E extends Enum<E>>(Class<E> slips, Function<Set<E>, Scenario> made) {
    Scenario whole() {
      return made.apply(EnumSet.noneOf(slips));
    }

    Stream<Arguments> slipped() {
      return Stream.of(slips.getEnumConstants())
          .map(slip -> Arguments.of(name(), slip.name(), made.apply(EnumSet.of(slip))));
    }

    String name() {
      return slips.getEnclosingClass().getSimpleName();
    }
  }

  private static final List<Model<?>> MODELS =
      List.of(
          new Model<>(OptimisticReadScenario.Slip.class, OptimisticReadScenario::new),
          new Model<>(SectionScenario.Slip.class, SectionScenario::new),
          new Model<>(NewSectionScenario.Slip.class, NewSectionScenario::new),
          new Model<>(WalkScenario.Slip.class, WalkScenario::new),
          new Model<>(LargePageScenario.Slip.class, LargePageScenario::new),
          new Model<>(SpacesScenario.Slip.class, SpacesScenario::new),
          new Model<>(RebindScenario.Slip.class, RebindScenario::new),
          new Model<>(EvictionScenario.Slip.class, EvictionScenario::new),
          new Model<>(LeaseScenario.Slip.class, LeaseScenario::new),
          new Model<>(LeaseCountScenario.Slip.class, LeaseCountScenario::new),
          new Model<>(LeaseEndScenario.Slip.class, LeaseEndScenario::new),
          new Model<>(HoldScenario.Slip.class, HoldScenario::new),
          new Model<>(RemovalScenario.Slip.class, RemovalScenario::new));

  static Stream<Arguments> scenarios() {
    return MODELS.stream().map(model -> Arguments.of(model.name(), model.whole()));
  }

  static Stream<Arguments> slips() {
    return MODELS.stream().flatMap(Model::slipped);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("scenarios")
  void inNoOrderOfStepsIsThereWhatMustNotBe(String name, Scenario scenario) {
    Verdict verdict = Search.of(scenario);
    assertThat(verdict.violation()).as(verdict.toString()).isNull();
    assertThat(verdict.states()).as("%s is hardly a race", name).isGreaterThan(200);
  }

  @ParameterizedTest(name = "{0} with {1}")
  @MethodSource("slips")
  void everyLineOfTheProtocolIsNeeded(String name, String slip, Scenario scenario) {
    Verdict verdict = Search.of(scenario);
    assertThat(verdict.violation()).as("%s with %s: %s", name, slip, verdict).isNotNull();
  }
}
