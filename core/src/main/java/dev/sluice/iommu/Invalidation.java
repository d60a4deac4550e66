package dev.sluice.iommu;

import org.jspecify.annotations.Nullable;

/// What the guest wants forgotten.
///
/// Two independent parts: cached translations over `[first, last]`, and bindings of requesters to
/// address spaces (VT-d: context entries). Both concern the address spaces whose tag has `tagValue`
/// in the bits of `tagMask`, or with [Binding#NAMED] the named requesters.
///
/// An architecture that tags its IOTLB with the PASID, too, has its model give each PASID of a
/// domain a tag, so that `tagMask` takes in one, all of a domain, or one of every domain.
///
/// @param tagMask which bits of an address space's tag count; 0 matches every space
/// @param tagValue their value
/// @param translations whether cached translations go; not with [Binding#NAMED]
/// @param first first I/O virtual address, unsigned
/// @param last last I/O virtual address, inclusive. Accesses under way are drained over this range
///   only: a large page that it cuts is dropped from the caches as a whole, but who invalidates a
///   part of it is told when that part is drained
/// @param binding whose binding goes
/// @param requesters with [Binding#NAMED]: whose
public record Invalidation(
    long tagMask,
    long tagValue,
    boolean translations,
    long first,
    long last,
    Binding binding,
    @Nullable Requesters requesters) {

  /// Which requesters lose their binding.
  public enum Binding {
    /// None.
    NONE,
    /// Those of the requesters that are named. Translations stay cached, all their accesses are
    /// drained.
    NAMED,
    /// Every requester's that is bound to a matching address space.
    MATCHING
  }

  /// Checks that the range is one, and that requesters are named exactly when their bindings alone
  /// go.
  public Invalidation {
    if (Long.compareUnsigned(first, last) > 0) {
      throw new IllegalArgumentException(
          "empty range: first 0x%x, last 0x%x".formatted(first, last));
    }
    if ((binding == Binding.NAMED) != (requesters != null)) {
      throw new IllegalArgumentException("requesters go with Binding.NAMED and only with it");
    }
    if (requesters != null && translations) {
      // Others may use the same translations, and would not be drained.
      throw new IllegalArgumentException("Binding.NAMED leaves translations cached");
    }
  }

  /// Translations of all address spaces whose tags are alike in some bits, over a range: a PASID of
  /// all domains, or all PASIDs of a domain.
  ///
  /// @param tagMask the bits that count
  public static Invalidation ofRange(long tagMask, long tagValue, long first, long last) {
    return new Invalidation(tagMask, tagValue, true, first, last, Binding.NONE, null);
  }

  /// Translations of one address space over a range.
  public static Invalidation ofRange(long tag, long first, long last) {
    return ofRange(-1, tag, first, last);
  }

  /// All translations of one address space.
  public static Invalidation ofSpace(long tag) {
    return ofRange(tag, 0, -1);
  }

  /// All translations of all address spaces; bindings stay.
  public static Invalidation ofTranslations() {
    return new Invalidation(0, 0, true, 0, -1, Binding.NONE, null);
  }

  /// One endpoint's binding; translations stay.
  public static Invalidation ofBinding(Endpoint endpoint) {
    return ofBindings(Requesters.of(endpoint));
  }

  /// The bindings of the requesters that are named, such as a function with all its PASIDs, or a
  /// PASID of all functions; translations stay.
  public static Invalidation ofBindings(Requesters requesters) {
    return new Invalidation(0, 0, false, 0, -1, Binding.NAMED, requesters);
  }

  /// The bindings of all requesters that are bound to one address space; translations stay.
  public static Invalidation ofBindings(long tag) {
    return new Invalidation(-1, tag, false, 0, -1, Binding.MATCHING, null);
  }

  /// The bindings of all requesters; translations stay.
  public static Invalidation ofBindings() {
    return new Invalidation(0, 0, false, 0, -1, Binding.MATCHING, null);
  }

  /// Everything: all translations, all bindings.
  public static Invalidation all() {
    return new Invalidation(0, 0, true, 0, -1, Binding.MATCHING, null);
  }

  /// Whether an address space's tag is meant.
  boolean matches(long tag) {
    return (tag & tagMask) == (tagValue & tagMask);
  }
}
