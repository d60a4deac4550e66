package dev.sluice.models.spapr;

import org.jspecify.annotations.Nullable;

/// The RTAS calls of this model. Arguments are cells of 32 bits; the first output is a
/// [RtasStatus], and after an error the others mean nothing.
///
/// A guest knows a call by its token, which the device tree gives it: `/rtas` under the call's
/// name, `ibm,ddw-applicable` (query, create, remove) and `ibm,ddw-extensions` (3 entries: 2, the
/// token of reset, 1) of the bridge.
public enum RtasFunction {
  /// What windows may be created. Inputs: configuration address, unit id of the bridge, high and
  /// low. Outputs: status, windows that can be created, entries of the largest (one cell, or with 6
  /// outputs two, high and low), mask of I/O page sizes, and the mask of those that can be migrated
  /// by H_MIGRATE_DMA, which is 0.
  QUERY_PE_DMA_WINDOW("ibm,query-pe-dma-window", 0x2026),

  /// Creates a window. Inputs: configuration address, unit id high and low, log2 of the I/O page's
  /// bytes, log2 of the window's bytes. Outputs: status, LIOBN, first bus address, high and low.
  CREATE_PE_DMA_WINDOW("ibm,create-pe-dma-window", 0x2027),

  /// Removes a window, whatever its entries map. Inputs: LIOBN. Outputs: status. When it was the
  /// last one and not the default window, the default window is restored.
  REMOVE_PE_DMA_WINDOW("ibm,remove-pe-dma-window", 0x2028),

  /// Restores the default window, empty, and removes all others. Inputs: configuration address,
  /// unit id high and low. Outputs: status.
  RESET_PE_DMA_WINDOWS("ibm,reset-pe-dma-windows", 0x2029),

  /// Switches the translation of a VIO device off or on. Inputs: unit address, 0 to translate.
  /// Outputs: status. Not in the public edition of LoPAR; firmware uses it, and QEMU has it.
  SET_TCE_BYPASS("ibm,set-tce-bypass", 0x2010);

  private final String propertyName;
  private final int token;

  RtasFunction(String propertyName, int token) {
    this.propertyName = propertyName;
    this.token = token;
  }

  /// Its name in the device tree.
  public String propertyName() {
    return propertyName;
  }

  /// What a guest calls it by.
  public int token() {
    return token;
  }

  static @Nullable RtasFunction of(int token) {
    for (RtasFunction function : values()) {
      if (function.token == token) {
        return function;
      }
    }
    return null;
  }
}
