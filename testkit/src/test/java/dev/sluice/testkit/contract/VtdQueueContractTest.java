package dev.sluice.testkit.contract;

class VtdQueueContractTest extends IommuContract {
  @Override
  protected IommuUnderTest start(ContractMemory memory) {
    return VtdUnderTest.byQueue(memory);
  }
}
