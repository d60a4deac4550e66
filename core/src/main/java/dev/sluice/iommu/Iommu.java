package dev.sluice.iommu;

import dev.sluice.memory.Access;

/// An IOMMU model, as the DMA layer sees it: asked on a miss, told of refusals.
///
/// A model keeps its guest-visible side (registers, queues, hypercalls) for itself. What it owes
/// here: translate by the guest's tables or by caches that the architecture allows, and announce
/// each invalidation to its [Invalidator] before the guest can see it as complete.
public interface Iommu {
  /// The one place where this IOMMU's cached translations and live accesses are known.
  Invalidator invalidator();

  /// Translates the page that holds `iova`.
  ///
  /// Called when core has no cached translation, on the device's thread and inside its access
  /// section; must not block. A model that lets the result be cached takes [Iotlb#ticket()]
  /// *before* it reads a table and offers the page with [Iotlb#insert]; likewise
  /// [Endpoint#bindTicket()] before the requester's own entry, then [Endpoint#bind]. Records no
  /// fault: the access may be a mere check.
  Translation translate(Endpoint endpoint, long iova, Access access);

  /// The quick form of [#translate] for what most misses are: a page of 4 KiB in RAM, in the
  /// address space that the requester is bound to already. Called first, under the same conditions;
  /// must allocate nothing. Core offers the page to `space` itself, so there is no ticket to take.
  ///
  /// @param space what the requester is bound to. A model that would have it bound elsewhere by now
  ///   does not answer
  /// @return [Iotlb#walked], if the page grants the access and may be cached; [Iotlb#MISS] in every
  ///   other case, and core asks [#translate]
  default long walk(Endpoint endpoint, Iotlb space, long iova, Access access) {
    return Iotlb.MISS;
  }

  /// A real access was refused with `fault`: record it for the guest and raise the architecture's
  /// event. Called once for each refused access. Must not block.
  void report(Endpoint endpoint, long iova, Access access, Translation.Fault fault);

  /// A device wrote `data` to `address`, which [#translate] said is an interrupt message. Must not
  /// block.
  void interrupt(Endpoint endpoint, long address, int data);
}
