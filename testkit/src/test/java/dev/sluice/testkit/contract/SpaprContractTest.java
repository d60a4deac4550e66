package dev.sluice.testkit.contract;

class SpaprContractTest extends IommuContract {
  @Override
  protected IommuUnderTest start(ContractMemory memory) {
    return new SpaprUnderTest(memory);
  }
}
