package dev.sluice.testkit.contract;

import dev.sluice.memory.Access;
import java.util.List;
import java.util.Set;

/// What an architecture has and has not, as far as the contract depends on it. A test of something
/// that a model says it has not checks that the adapter cannot be talked into it.
///
/// @param pageSizes the smallest first, which is the one that the contract uses where the size does
///   not matter
/// @param rights what a page may be for
/// @param domains how many address spaces a guest may have at a time, 1 to 8 of them used here
/// @param widths how much an invalidation may be about
/// @param notice how the guest learns of completion
/// @param outstanding how many invalidations a guest may have asked for before the first is
///   complete
/// @param drains the most drains that a guest can have under way at a time, whatever it does; a cap
///   that the model names, or the number of the guest's processors
/// @param independent whether one over other pages completes while the first is not complete; else
///   they complete in order, or behind one bit
/// @param faultRecords how many refused accesses a guest finds that looks only after the last;
///   those beyond are lost, or lose others
public record Abilities(
    List<PageSize> pageSizes,
    Set<Access> rights,
    int domains,
    Set<Width> widths,
    Notice notice,
    int outstanding,
    int drains,
    boolean independent,
    int faultRecords) {

  /// Copies.
  public Abilities {
    pageSizes = List.copyOf(pageSizes);
    rights = Set.copyOf(rights);
    widths = Set.copyOf(widths);
  }

  /// Whether an invalidation may be about less than an address space.
  public boolean isExact() {
    return widths.contains(Width.PAGE);
  }
}
