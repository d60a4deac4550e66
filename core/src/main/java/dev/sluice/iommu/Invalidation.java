package dev.sluice.iommu;

import org.jspecify.annotations.Nullable;

/// What the guest wants forgotten.
///
/// Two independent parts: cached translations over `[first, last]`, and bindings of requesters to
/// address spaces (VT-d: context entries). Both concern the address spaces whose tag has `tagValue`
/// in the bits of `tagMask`, or with [Binding#ONE] the named endpoint.
///
/// @param tagMask which bits of an address space's tag count; 0 matches every space
/// @param tagValue their value
/// @param translations whether cached translations go; not with [Binding#ONE]
/// @param first first I/O virtual address, unsigned
/// @param last last I/O virtual address, inclusive. Accesses under way are drained over this range
///   only: a large page that it cuts is dropped from the caches as a whole, but who invalidates a
///   part of it is told when that part is drained
/// @param binding whose binding goes
/// @param endpoint with [Binding#ONE]: whose
public record Invalidation(
    long tagMask,
    long tagValue,
    boolean translations,
    long first,
    long last,
    Binding binding,
    @Nullable Endpoint endpoint) {

  /// Which requesters lose their binding.
  public enum Binding {
    /// None.
    NONE,
    /// One requester's. Its translations stay cached, all its accesses are drained.
    ONE,
    /// Every requester's that is bound to a matching address space.
    MATCHING
  }

  /// Checks that the range is one, and that an endpoint is named exactly when its binding alone
  /// goes.
  public Invalidation {
    if (Long.compareUnsigned(first, last) > 0) {
      throw new IllegalArgumentException(
          "empty range: first 0x%x, last 0x%x".formatted(first, last));
    }
    if ((binding == Binding.ONE) != (endpoint != null)) {
      throw new IllegalArgumentException("an endpoint goes with Binding.ONE and only with it");
    }
    if (endpoint != null && translations) {
      // Other endpoints may use the same translations, and would not be drained.
      throw new IllegalArgumentException("Binding.ONE leaves translations cached");
    }
  }

  /// Translations of one address space over a range.
  public static Invalidation ofRange(long tag, long first, long last) {
    return new Invalidation(-1, tag, true, first, last, Binding.NONE, null);
  }

  /// All translations of one address space.
  public static Invalidation ofSpace(long tag) {
    return ofRange(tag, 0, -1);
  }

  /// All translations of all address spaces; bindings stay.
  public static Invalidation ofTranslations() {
    return new Invalidation(0, 0, true, 0, -1, Binding.NONE, null);
  }

  /// One requester's binding; translations stay.
  public static Invalidation ofBinding(Endpoint endpoint) {
    return new Invalidation(0, 0, false, 0, -1, Binding.ONE, endpoint);
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
