package dev.sluice.dma;

import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;

/// A refused access: what a PCI device sees as a target abort or an unsupported request, with the
/// reason that hardware keeps to itself.
///
/// @param requester who asked
/// @param pasid the PASID of the request, or [Endpoint#NO_PASID]
/// @param iova the first address that was refused
/// @param access what was tried
/// @param reason why
/// @param faultCode the architecture's own fault code, as the guest finds it in its fault record;
///   [#NO_CODE] when no IOMMU refused
/// @param bytesMoved how many bytes of the whole transfer moved before; those have moved for good
public record TargetAbort(
    RequesterId requester,
    int pasid,
    long iova,
    Access access,
    AbortReason reason,
    int faultCode,
    long bytesMoved)
    implements MapResult, WholeResult {

  /// No IOMMU refused: the memory did, or the function itself.
  public static final int NO_CODE = -1;

  TargetAbort after(long earlierBytes) {
    return earlierBytes == 0
        ? this
        : new TargetAbort(
            requester, pasid, iova, access, reason, faultCode, bytesMoved + earlierBytes);
  }

  /// One line that says everything.
  @Override
  public String toString() {
    String code = faultCode == NO_CODE ? "" : " (fault code 0x%x)".formatted(faultCode);
    String by = pasid == Endpoint.NO_PASID ? "" : " with PASID 0x%x".formatted(pasid);
    return "%s of 0x%x by %s%s refused after %d bytes: %s%s"
        .formatted(access, iova, requester, by, bytesMoved, reason.text(), code);
  }
}
