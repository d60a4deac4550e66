package dev.sluice.testkit.contract;

class AppleT8020DartContractTest extends IommuContract {
  @Override
  protected IommuUnderTest start(ContractMemory memory) {
    return AppleDartUnderTest.t8020(memory);
  }
}
