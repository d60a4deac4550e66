package dev.sluice.models.spapr;

import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.Access;

/// A refused access. LoPAR has no fault record that the guest reads; hardware stops the
/// partitionable endpoint instead and lets firmware tell why. This is what firmware would tell.
///
/// @param requester whose access it was
/// @param ioba the bus address that was refused
/// @param access what was tried
/// @param cause why it was refused
public record TceFault(RequesterId requester, long ioba, Access access, Cause cause) {
  /// Why an access is refused.
  public enum Cause {
    /// The requester belongs to no partitionable endpoint, or the partition is shut down.
    NO_ENDPOINT(1, AbortReason.BLOCKED),
    /// No window has the bus address: a TCE extent error.
    EXTENT(2, AbortReason.NOT_MAPPED),
    /// The entry says "page fault".
    PAGE_FAULT(3, AbortReason.NOT_MAPPED),
    /// A read from a page that may only be written.
    WRITE_ONLY(4, AbortReason.NO_READ),
    /// A write to a page that may only be read.
    READ_ONLY(5, AbortReason.NO_WRITE);

    private final int code;
    private final AbortReason reason;

    Cause(int code, AbortReason reason) {
      this.code = code;
      this.reason = reason;
    }

    /// The fault code that the device's abort carries. The model's own numbering.
    public int code() {
      return code;
    }

    Translation.Fault fault() {
      return new Translation.Fault(reason, code, true);
    }

    /// The cause that a fault code stands for.
    ///
    /// @return [#NO_ENDPOINT] for a code that is none
    static Cause of(int code) {
      for (Cause cause : values()) {
        if (cause.code == code) {
          return cause;
        }
      }
      return NO_ENDPOINT;
    }
  }
}
