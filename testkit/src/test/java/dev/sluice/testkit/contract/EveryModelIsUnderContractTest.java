package dev.sluice.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import dev.sluice.iommu.Iommu;
import java.util.List;
import org.junit.jupiter.api.Test;

/// A model cannot be added without the contract: some contract test has to start some adapter that
/// makes it.
class EveryModelIsUnderContractTest {
  @Test
  void everyModelHasAnAdapterThatAContractTestStarts() {
    List<JavaClass> started =
        Contracts.concrete(IommuUnderTest.class).stream()
            .filter(adapter ->
                Contracts.all().stream().anyMatch(contract -> dependsOn(contract, adapter)))
            .toList();
    List<JavaClass> models =
        Contracts.concrete(Iommu.class).stream()
            .filter(model -> model.getPackageName().startsWith("dev.sluice.models."))
            .toList();
    assertThat(models).isNotEmpty();
    assertThat(models)
        .as("models without a contract test: see docs/models/README.md")
        .filteredOn(model -> started.stream().noneMatch(adapter -> makes(adapter, model)))
        .extracting(JavaClass::getName)
        .isEmpty();
  }

  private static boolean dependsOn(JavaClass contract, JavaClass adapter) {
    return contract.getDirectDependenciesFromSelf().stream()
        .anyMatch(dependency -> dependency.getTargetClass().equals(adapter));
  }

  private static boolean makes(JavaClass adapter, JavaClass model) {
    return adapter.getConstructorCallsFromSelf().stream()
        .anyMatch(call -> call.getTargetOwner().equals(model));
  }
}
