package dev.sluice.testkit.contract;

class U3DartContractTest extends IommuContract {
  @Override
  protected IommuUnderTest start(ContractMemory memory) {
    return U3DartUnderTest.u3(memory);
  }
}
