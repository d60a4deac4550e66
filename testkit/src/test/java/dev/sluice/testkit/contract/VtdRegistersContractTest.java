package dev.sluice.testkit.contract;

class VtdRegistersContractTest extends IommuContract {
  @Override
  protected IommuUnderTest start(ContractMemory memory) {
    return VtdUnderTest.byRegisters(memory);
  }
}
