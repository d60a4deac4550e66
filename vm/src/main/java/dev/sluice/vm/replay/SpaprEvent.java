package dev.sluice.vm.replay;

/// One of QEMU's `spapr_iommu_*` trace events. Numbers are unsigned unless said.
sealed interface SpaprEvent {
  /// What the guest or the machine did to tables and windows. The other events tell what an entry
  /// is.
  sealed interface Call extends SpaprEvent {}

  /// A table came into being: a default window's at a start or a reset, or a dynamic window's
  /// before its [WindowCreation].
  record NewTable(long liobn) implements Call {}

  /// H_GET_TCE.
  ///
  /// @param returned return code, signed
  record Get(long liobn, long ioba, long returned, long tce) implements SpaprEvent {}

  /// H_PUT_TCE.
  ///
  /// @param returned return code, signed
  record Put(long liobn, long ioba, long tce, long returned) implements Call {}

  /// H_STUFF_TCE.
  ///
  /// @param end where QEMU stood when it was done: behind the last page it wrote
  /// @param returned return code, signed
  record Stuff(long liobn, long end, long tce, long count, long returned) implements Call {}

  /// H_PUT_TCE_INDIRECT.
  ///
  /// @param list where the list was; its contents were not recorded
  /// @param last index of the last entry, or of the one before the first that was refused
  /// @param lastTce its value
  /// @param returned return code, signed
  record Indirect(long liobn, long ioba, long list, long last, long lastTce, long returned)
      implements Call {}

  /// A device's access.
  ///
  /// @param offset from the start of the window
  /// @param page where it leads, or 0
  /// @param rights 1 to read, 2 to write
  /// @param mask of the bits within the page, its low 32 bits
  record Translated(long liobn, long offset, long page, int rights, int mask)
      implements SpaprEvent {}

  /// `ibm,query-pe-dma-window`, answered with success.
  record WindowQuery(long unitId, int address, int available, long largest, int pageSizes)
      implements Call {}

  /// `ibm,create-pe-dma-window`, answered with success.
  record WindowCreation(
      long unitId, int address, long pageBytes, long windowBytes, long base, long liobn)
      implements Call {}

  /// `ibm,remove-pe-dma-window`, answered with success.
  record WindowRemoval(long liobn) implements Call {}

  /// `ibm,reset-pe-dma-window`, answered with success.
  record WindowReset(long unitId, int address) implements Call {}
}
