package dev.sluice.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;

/// Who gets a guest's pages next, as soon as the guest sees that no device can touch them any more:
/// another kernel, another program, another guest.
final class NewOwner {
  /// What a failing [#assertUntouched] says.
  static final String OVERWRITTEN = "a device overwrote a page of the new owner's";

  private static final byte CONTENTS = 0x77;

  private final ContractMachine machine;
  private final long[] pages;
  private boolean owns;

  /// @param pages guest-physical addresses
  NewOwner(ContractMachine machine, long... pages) {
    this.machine = machine;
    this.pages = pages;
  }

  /// Looks once whether an invalidation is complete, and if so, takes the pages and writes to them.
  void takeOverIfComplete(Request request) {
    if (!owns && request.isComplete()) {
      owns = true;
      for (long page : pages) {
        machine.memory().fill(page, machine.page(), CONTENTS);
      }
    }
  }

  /// It has them, and each byte is what it wrote.
  void assertUntouched() {
    assertThat(owns).as("the new owner has its pages").isTrue();
    for (long page : pages) {
      assertThat(machine.memory().isAll(page, machine.page(), CONTENTS))
          .as("0x%x is as it was; if not, %s", page, OVERWRITTEN)
          .isTrue();
    }
  }
}
