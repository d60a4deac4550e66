package dev.sluice.models.spapr;

/// The hypercalls of this model by the number in the processor's R3: LoPAR, "hcall() Functions".
public final class Hypercall {
  /// Reads one entry. R4: LIOBN, R5: bus address. Returns the entry in R4.
  public static final long H_GET_TCE = 0x1C;

  /// Writes one entry. R4: LIOBN, R5: bus address, R6: entry.
  public static final long H_PUT_TCE = 0x20;

  /// Writes one entry to a run of pages. R4: LIOBN, R5: first bus address, R6: entry, R7: count.
  public static final long H_STUFF_TCE = 0x138;

  /// Writes a list of entries to a run of pages. R4: LIOBN, R5: first bus address, R6:
  /// guest-physical address of the list, R7: count.
  public static final long H_PUT_TCE_INDIRECT = 0x13C;

  /// Calls the run-time abstraction services. R4: guest-physical address of the argument buffer.
  /// Not LoPAR's: RTAS is firmware in the partition's memory, which has to get to the hypervisor
  /// somehow; this is the number that the firmware for QEMU uses.
  public static final long H_RTAS = 0xF000;

  private Hypercall() {}
}
