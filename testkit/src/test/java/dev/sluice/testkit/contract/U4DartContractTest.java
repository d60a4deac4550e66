package dev.sluice.testkit.contract;

class U4DartContractTest extends IommuContract {
  @Override
  protected IommuUnderTest start(ContractMemory memory) {
    return U3DartUnderTest.u4(memory);
  }
}
