package dev.sluice.vm.guest.vtd;

/// A 128-bit entry of the invalidation queue (6.5.2).
///
/// ```
///  context cache  low   49 48 | 47       32 | 31       16 |     | 5 4 | 3..0 = 1
///                         FM  |  source id  |  domain id  |     |  G  |
///  IOTLB          low                       | 31       16 | 7  6| 5 4 | 3..0 = 2
///                                           |  domain id  |DR DW|  G  |
///                 high  63              12 | 6  | 5    0
///                       address            | IH | AM
///  wait           low   63              32 |    | 6  5  4 | 3..0 = 5
///                       status data        |    | FN SW IF|
///                 high  63                         2 |
///                       status address
/// ```
///
/// G: 1 global, 2 domain-selective, 3 device-selective or page-selective.
///
/// @param low the first 8 bytes
/// @param high the other 8
record Descriptor(long low, long high) {
  private static final long CONTEXT_CACHE = 1;
  private static final long IOTLB = 2;
  private static final long WAIT = 5;
  private static final long GLOBAL = 1 << 4;
  private static final long DOMAIN = 2 << 4;
  private static final long SELECTIVE = 3 << 4;
  private static final int DRAIN_WRITES_SHIFT = 6;
  private static final int DRAIN_READS_SHIFT = 7;
  private static final int DOMAIN_SHIFT = 16;
  private static final int SOURCE_SHIFT = 32;
  private static final long WRITE_STATUS = 1 << 5;
  private static final int STATUS_SHIFT = 32;
  private static final long LEAVES_ONLY = 1 << 6;

  /// Every context entry.
  static Descriptor contextGlobal() {
    return new Descriptor(CONTEXT_CACHE | GLOBAL, 0);
  }

  /// The context entry of one function.
  ///
  /// @param source its requester id
  static Descriptor contextDevice(int domain, int source) {
    return new Descriptor(
        CONTEXT_CACHE | SELECTIVE | (long) domain << DOMAIN_SHIFT | (long) source << SOURCE_SHIFT,
        0);
  }

  /// Every translation.
  static Descriptor iotlbGlobal(Capabilities capabilities) {
    return new Descriptor(IOTLB | GLOBAL | drains(capabilities), 0);
  }

  /// Every translation of one domain.
  static Descriptor iotlbDomain(Capabilities capabilities, int domain) {
    return new Descriptor(IOTLB | DOMAIN | drains(capabilities) | (long) domain << DOMAIN_SHIFT, 0);
  }

  /// The translations of 2^`order` pages of a domain.
  ///
  /// @param address a multiple of the size
  /// @param leavesOnly whether no entry above the last level has changed
  static Descriptor iotlbPages(
      Capabilities capabilities, int domain, long address, int order, boolean leavesOnly) {
    return new Descriptor(
        IOTLB | SELECTIVE | drains(capabilities) | (long) domain << DOMAIN_SHIFT,
        address | (leavesOnly ? LEAVES_ONLY : 0) | order);
  }

  /// Writes `status` to `address` once all descriptors before it have completed.
  static Descriptor waitWriting(int status, long address) {
    return new Descriptor(WAIT | WRITE_STATUS | (long) status << STATUS_SHIFT, address);
  }

  private static long drains(Capabilities capabilities) {
    return (capabilities.drainsWrites() ? 1L << DRAIN_WRITES_SHIFT : 0)
        | (capabilities.drainsReads() ? 1L << DRAIN_READS_SHIFT : 0);
  }
}
