package dev.sluice.testkit.soak;

import dev.sluice.iommu.RequesterId;

/// What a guest asks its IOMMU to forget.
public sealed interface Scope {
  /// Translations of a run of pages.
  ///
  /// @param space whose
  /// @param iova first address, a multiple of the run's size
  /// @param order log2 of the number of 4 KiB pages
  record Pages(int space, long iova, int order) implements Scope {}

  /// All translations of one address space.
  ///
  /// @param space whose
  record Space(int space) implements Scope {}

  /// All translations.
  record Everything() implements Scope {}

  /// Which address space a requester has.
  ///
  /// @param requester whose
  /// @param space the one it had
  record Binding(RequesterId requester, int space) implements Scope {}
}
