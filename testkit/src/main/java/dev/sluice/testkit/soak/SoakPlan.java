package dev.sluice.testkit.soak;

/// How long and how wide a soak is. Counts, not times: two runs of a plan do the same work.
///
/// @param seed every thread's choices follow from it
/// @param accesses of all devices together; they go on beyond it until the guests are through, too
/// @param remaps of all guests together; they go on beyond it until the devices are through, too
/// @param devices threads of devices, 1 or more
/// @param guests threads of guests, 1 or more
public record SoakPlan(long seed, long accesses, long remaps, int devices, int guests) {
  /// Checks the ranges.
  public SoakPlan {
    if (accesses < 1 || remaps < 1 || devices < 1 || guests < 1) {
      throw new IllegalArgumentException("a soak has one of each, at least");
    }
  }

  /// As wide as the machine: a device for each processor, two at the least, and half as many
  /// guests.
  public static SoakPlan onAllCores(long seed, long accesses, long remaps) {
    int devices = Math.max(2, Runtime.getRuntime().availableProcessors());
    return new SoakPlan(seed, accesses, remaps, devices, Math.max(2, devices / 2));
  }
}
