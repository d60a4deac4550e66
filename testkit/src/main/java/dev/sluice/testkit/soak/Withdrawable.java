package dev.sluice.testkit.soak;

import java.util.List;

/// Slots that the guest takes away all at once, and gives back. They are there in the even
/// tenancies.
///
/// @param slots in the order of their addresses
/// @param arrangements guest-physical address of the page behind each slot; one arrangement after
///   the other is used
/// @param turnover how
record Withdrawable(List<Slot> slots, List<long[]> arrangements, Turnover turnover) {

  /// The pages behind the slots in an even tenancy.
  long[] pages(int tenancy) {
    return arrangements.get(tenancy / 2 % arrangements.size());
  }

  /// How slots are taken away and given back.
  interface Turnover {
    /// Takes them away, and returns when the guest can see that this is complete.
    void withdraw(Waiting waiting);

    /// Gives them back.
    ///
    /// @param tenancy the even one that begins
    void giveBack(int tenancy);
  }
}
