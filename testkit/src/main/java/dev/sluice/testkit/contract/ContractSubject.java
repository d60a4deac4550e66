package dev.sluice.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;

/// What the parts of the contract are about: one machine for each test.
interface ContractSubject {
  /// The test's machine; the first call makes it.
  ContractMachine machine();

  /// The guest sees that a request is complete.
  default void assertComplete(Request request, String why) {
    assertThat(request.isComplete()).as("the invalidation is complete: %s", why).isTrue();
  }

  /// The guest sees that it is not.
  default void assertPending(Request request, String why) {
    assertThat(request.isComplete()).as("the invalidation is complete although %s", why).isFalse();
  }
}
