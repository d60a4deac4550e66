package dev.sluice.testkit.contract;

class AppleT8110DartContractTest extends IommuContract {
  @Override
  protected IommuUnderTest start(ContractMemory memory) {
    return AppleDartUnderTest.t8110(memory);
  }
}
