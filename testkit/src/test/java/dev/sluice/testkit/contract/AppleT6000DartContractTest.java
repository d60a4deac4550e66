package dev.sluice.testkit.contract;

class AppleT6000DartContractTest extends IommuContract {
  @Override
  protected IommuUnderTest start(ContractMemory memory) {
    return AppleDartUnderTest.t6000(memory);
  }
}
