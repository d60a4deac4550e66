package dev.sluice.dma;

import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.Iotlb;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.Access;
import dev.sluice.memory.MemoryStatus;

/// The translations of one requester's addresses, and what it is told when there is none.
final class Translations {
  private final Endpoint endpoint;

  Translations(Endpoint endpoint) {
    this.endpoint = endpoint;
  }

  /// Within a section: the page of an address from the cache or the model, or why there is none.
  Translation translation(Iommu asked, long iova, Access access) {
    Iotlb space = endpoint.space();
    Translation.Page cached = space == null ? null : space.lookup(iova);
    if (cached != null && cached.allows(access)) {
      return cached;
    }
    endpoint.countMiss();
    return asked.translate(endpoint, iova, access);
  }

  /// A refusal by the IOMMU.
  ///
  /// @param report whether the guest is told
  TargetAbort refused(Iommu by, long iova, Access access, Translation.Fault fault, boolean report) {
    if (report) {
      by.report(endpoint, iova, access, fault);
    }
    return new TargetAbort(
        endpoint.requester(), endpoint.pasid(), iova, access, fault.reason(), fault.code(), 0);
  }

  /// A refusal by anybody else.
  TargetAbort abort(long iova, Access access, AbortReason reason) {
    return new TargetAbort(
        endpoint.requester(), endpoint.pasid(), iova, access, reason, TargetAbort.NO_CODE, 0);
  }

  /// What memory answered, as a reason.
  static AbortReason reason(MemoryStatus status) {
    return switch (status) {
      case HOLE -> AbortReason.NO_MEMORY;
      case READ_ONLY -> AbortReason.READ_ONLY_MEMORY;
      case WOULD_BLOCK -> AbortReason.WOULD_BLOCK;
      case MISALIGNED -> AbortReason.MISALIGNED;
      case NO_ATOMICS -> AbortReason.NO_ATOMICS;
      // OK: the region was replaced between the refusal and the question.
      case FAILED, OK -> AbortReason.MEMORY_FAILED;
    };
  }
}
