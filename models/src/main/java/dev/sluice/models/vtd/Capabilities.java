package dev.sluice.models.vtd;

/// The capability registers, VT-d specification 11.4.2 and 11.4.3 (CAP_REG, ECAP_REG): exactly what
/// this model implements.
///
/// ```
/// CAP_REG
///  63    56 55  54  53  48 47  40 39  38 37   34 33    24 23 22  21   16 15 13 12    8 7  6    5    4    3   2  0
/// +--------+---+---+------+------+---+--+-------+--------+--+---+-------+-----+-------+--+----+----+----+---+----+
/// |   0    |DRD|DWD| MAMV | NFR  |PSI| 0| SLLPS |  FRO   | 0|ZLR| MGAW  |  0  | SAGAW |CM|PHMR|PLMR|RWBF|AFL| ND |
/// +--------+---+---+------+------+---+--+-------+--------+--+---+-------+-----+-------+--+----+----+----+---+----+
///
/// ECAP_REG
///  63          24 23  20 19 18 17      8 7  6  5 4   3  2  1  0
/// +--------------+------+-----+---------+--+--+-+---+--+--+--+-+
/// |      0       | MHMV |  0  |   IRO   |SC|PT|0|EIM|IR|DT|QI|C|
/// +--------------+------+-----+---------+--+--+-+---+--+--+--+-+
/// ```
///
/// | set | because |
/// |---|---|
/// | DRD, DWD | an invalidation completes only when reads and writes under way over its range have ended |
/// | PSI, MAMV 18 | page-selective invalidation, up to 2^18 pages: 1 GiB, the largest page |
/// | SLLPS 2 MiB, 1 GiB | both large pages |
/// | SAGAW 39, 48 | tables of 3 and 4 levels |
/// | MGAW 48 | I/O virtual addresses of 48 bits |
/// | ND 6 | domain ids of 16 bits |
/// | ZLR | a read of no bytes faults nowhere |
/// | C, SC | walks and accesses are coherent with the guest's processors, whatever the entry's SNP bit says |
/// | PT, QI | pass-through; queued invalidation |
///
/// Clear, as there is nothing behind it: advanced fault logging, protected memory, write-buffer
/// flushing (none is needed), device TLBs, interrupt remapping, scalable mode, posted interrupts,
/// the enhanced root-pointer command.
final class Capabilities {
  /// Bits of an I/O virtual address, MGAW.
  static final int GUEST_ADDRESS_WIDTH = 48;

  /// The largest address mask of a page-selective invalidation, MAMV: 2^18 pages.
  static final int MAXIMUM_ADDRESS_MASK = 18;

  /// Bytes from the start of the register page to the first fault recording register.
  static final int FAULT_RECORDING_OFFSET = 0x400;

  /// Bytes from the start of the register page to the IOTLB registers.
  static final int IOTLB_REGISTER_OFFSET = 0x200;

  private static final long DOMAIN_ID_16_BITS = 6;
  private static final long CACHING_MODE = 1L << 7;
  private static final long ADJUSTED_WIDTHS_39_48 = 0b00110L << 8;
  private static final long ZERO_LENGTH_READ = 1L << 22;
  private static final long LARGE_PAGES_2M_1G = 0b0011L << 34;
  private static final long PAGE_SELECTIVE_INVALIDATION = 1L << 39;
  private static final long WRITE_DRAINING = 1L << 54;
  private static final long READ_DRAINING = 1L << 55;

  private static final long COHERENT_WALKS = 1L;
  private static final long QUEUED_INVALIDATION = 1L << 1;
  private static final long PASS_THROUGH = 1L << 6;
  private static final long SNOOP_CONTROL = 1L << 7;

  private Capabilities() {}

  /// CAP_REG.
  static long capability(VtdConfig config) {
    return DOMAIN_ID_16_BITS
        | (config.cachingMode() ? CACHING_MODE : 0)
        | ADJUSTED_WIDTHS_39_48
        | (GUEST_ADDRESS_WIDTH - 1L) << 16
        | ZERO_LENGTH_READ
        | (FAULT_RECORDING_OFFSET / 16L) << 24
        | LARGE_PAGES_2M_1G
        | PAGE_SELECTIVE_INVALIDATION
        | (config.faultRecordingRegisters() - 1L) << 40
        | (long) MAXIMUM_ADDRESS_MASK << 48
        | WRITE_DRAINING
        | READ_DRAINING;
  }

  /// ECAP_REG.
  static long extendedCapability() {
    return COHERENT_WALKS
        | QUEUED_INVALIDATION
        | PASS_THROUGH
        | SNOOP_CONTROL
        | (IOTLB_REGISTER_OFFSET / 16L) << 8;
  }
}
