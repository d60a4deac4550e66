package dev.sluice.testkit.contract;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;

/// What holds for any IOMMU, and the scenes that Sluice was made for: a model's test extends this
/// and says how the model is driven.
///
/// ```java
/// class ExampleContractTest extends IommuContract {
///   @Override
///   protected IommuUnderTest start(ContractMemory memory) {
///     return new ExampleUnderTest(memory);
///   }
/// }
/// ```
public abstract class IommuContract implements AccessContract, DrainContract, SeedScenarios {
  private @Nullable ContractMachine machine;
  private boolean drains = true;

  /// A contract with a machine that is whole.
  protected IommuContract() {}

  /// A model without devices, that translates.
  ///
  /// @param memory the guest's
  protected abstract IommuUnderTest start(ContractMemory memory);

  /// Switches the drain of the machine off, before its first use: for a test that expects the
  /// checks of the drain to fail.
  public final void switchDrainOff() {
    if (machine != null) {
      throw new IllegalStateException("the machine is in use");
    }
    drains = false;
  }

  @Override
  public final ContractMachine machine() {
    ContractMachine now = machine;
    if (now == null) {
      now = drains ? ContractMachine.whole(this::start) : ContractMachine.withoutDrain(this::start);
      machine = now;
    }
    return now;
  }

  /// Gives the machine's memory back.
  @AfterEach
  public final void close() {
    ContractMachine last = machine;
    machine = null;
    if (last != null) {
      last.close();
    }
  }
}
