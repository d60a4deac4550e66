package dev.sluice.vm.guest.vtd;

/// CAP and ECAP, what the hardware can do (11.4.2, 11.4.3); the fields that this driver uses.
///
/// ```
///  CAP   55 54 | 53  48 | 47  40 | 39 | 33       24 | 21  16 | 12   8 | 7  | 6    5    4  | 2  0
///       DRD DWD|  MAMV  | NFR    | PSI| FRO         | MGAW   | SAGAW  | CM |PHMR PLMR RWBF| ND
///  ECAP  1 = QI
/// ```
///
/// @param capability CAP
/// @param extended ECAP
record Capabilities(long capability, long extended) {
  private static final int AGAW_3_LEVELS = 1 << 1;
  private static final int AGAW_4_LEVELS = 1 << 2;

  /// Domain ids that fit: 2^(4 + 2 ND).
  int domains() {
    return 1 << (4 + 2 * field(capability, 2, 0));
  }

  /// Whether a write buffer must be flushed before the hardware sees a change in memory.
  boolean needsWriteBufferFlush() {
    return bit(capability, 4);
  }

  /// Whether firmware may have protected memory regions.
  boolean protectedMemory() {
    return bit(capability, 5) || bit(capability, 6);
  }

  /// Whether entries that are not present may be cached, so that mapping needs invalidations too.
  boolean cachingMode() {
    return bit(capability, 7);
  }

  /// Levels of the second-stage tables that Linux takes: 4 if possible, else 3, 0 if neither.
  int levels() {
    int supported = field(capability, 12, 8);
    return (supported & AGAW_4_LEVELS) != 0 ? 4 : (supported & AGAW_3_LEVELS) != 0 ? 3 : 0;
  }

  /// Bits of the widest address that a device may use.
  int addressWidth() {
    return field(capability, 21, 16) + 1;
  }

  /// Where the fault records begin, bytes from the start of the registers.
  int faultRecordOffset() {
    return field(capability, 33, 24) * 16;
  }

  /// How many fault records there are.
  int faultRecords() {
    return field(capability, 47, 40) + 1;
  }

  /// Whether an IOTLB invalidation can name pages, at most 2^`pages`.
  boolean canInvalidatePages(int order) {
    return bit(capability, 39) && order <= field(capability, 53, 48);
  }

  /// Whether an IOTLB invalidation can be told to drain writes.
  boolean drainsWrites() {
    return bit(capability, 54);
  }

  /// Whether an IOTLB invalidation can be told to drain reads.
  boolean drainsReads() {
    return bit(capability, 55);
  }

  /// Whether there is an invalidation queue.
  boolean queuedInvalidation() {
    return bit(extended, 1);
  }

  private static boolean bit(long value, int bit) {
    return (value >>> bit & 1) != 0;
  }

  private static int field(long value, int last, int first) {
    return (int) (value >>> first & (1L << (last - first + 1)) - 1);
  }

  @Override
  public String toString() {
    return "cap %x ecap %x".formatted(capability, extended);
  }
}
