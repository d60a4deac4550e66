package dev.sluice.models.vtd;

import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.Translation;

/// The fault reasons that untranslated requests can meet in legacy mode, VT-d specification 7.1.3.
///
/// Reason 0x0D is missing: it blocks requests of device TLBs, which this unit has not. A
/// *qualified* fault is one that the context entry's FPD bit can keep from being recorded; the
/// others come before there is a context entry to look at.
enum FaultCode {
  /// The root entry is not present.
  ROOT_NOT_PRESENT(0x01, AbortReason.BLOCKED, false),
  /// The context entry is not present.
  CONTEXT_NOT_PRESENT(0x02, AbortReason.BLOCKED, true),
  /// The context entry's TT or AW is not supported, or its second-stage table cannot be read.
  CONTEXT_INVALID(0x03, AbortReason.BAD_TABLE, true),
  /// The address is beyond the smaller of MGAW and the context entry's AW.
  ADDRESS_BEYOND_WIDTH(0x04, AbortReason.ADDRESS_WIDTH, true),
  /// A write or atomic operation, and an entry on its way has W clear.
  NO_WRITE(0x05, AbortReason.NO_WRITE, true),
  /// A read or atomic operation, and an entry on its way has R clear.
  NO_READ(0x06, AbortReason.NO_READ, true),
  /// A second-stage table other than the top one cannot be read.
  TABLE_UNREADABLE(0x07, AbortReason.BAD_TABLE, true),
  /// The root table cannot be read.
  ROOT_UNREADABLE(0x08, AbortReason.BAD_TABLE, false),
  /// The context table cannot be read.
  CONTEXT_UNREADABLE(0x09, AbortReason.BAD_TABLE, false),
  /// A present root entry has a reserved bit set.
  ROOT_MALFORMED(0x0A, AbortReason.BAD_TABLE, false),
  /// A present context entry has a reserved bit set.
  CONTEXT_MALFORMED(0x0B, AbortReason.BAD_TABLE, true),
  /// A second-stage entry with R or W set has a reserved bit set.
  ENTRY_MALFORMED(0x0C, AbortReason.BAD_TABLE, true),
  /// The translated address lies in the interrupt address range.
  INTERRUPT_RANGE_RESULT(0x0E, AbortReason.INTERRUPT_RANGE, true);

  private final int code;
  private final AbortReason reason;
  private final boolean qualified;

  FaultCode(int code, AbortReason reason, boolean qualified) {
    this.code = code;
    this.reason = reason;
    this.qualified = qualified;
  }

  /// The number in the FR field of a fault recording register.
  int code() {
    return code;
  }

  /// The outcome of a request for which no context entry was found.
  Translation.Fault fault() {
    return new Translation.Fault(reason, code, true);
  }

  /// The outcome of a request that `context` decides.
  Translation.Fault fault(ContextEntry context) {
    return fault(context, reason);
  }

  /// The outcome of a request that `context` decides, with a closer reason for the device.
  Translation.Fault fault(ContextEntry context, AbortReason closer) {
    return new Translation.Fault(closer, code, !(qualified && context.faultProcessingDisabled()));
  }
}
