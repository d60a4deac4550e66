package dev.sluice.models.spapr;

/// What a hypercall leaves in the processor's R3: LoPAR, "hcall() Return Codes".
public final class ReturnCode {
  /// Done.
  public static final long H_SUCCESS = 0;

  /// H_GET_TCE: the entry leads to a page that is not the partition's any more, which was masked.
  public static final long H_PARTIAL = 5;

  /// The function failed for a reason that is not the caller's.
  public static final long H_HARDWARE = -1;

  /// There is no such hypercall, or not in this form.
  public static final long H_FUNCTION = -2;

  /// A parameter is outside of what the partition was given.
  public static final long H_PARAMETER = -4;

  /// The hypervisor has no more memory for the partition's tables. Linux gives up the mapping and
  /// goes on.
  public static final long H_NOT_ENOUGH_RESOURCES = -44;

  /// The fourth parameter is wrong: H_STUFF_TCE with a count above 512, where that is enforced.
  public static final long H_P4 = -57;

  /// Not a return code: the processor was halted, and is resumed with its return code.
  ///
  /// @see VirtualCpu
  public static final long HALTED = Long.MIN_VALUE;

  private ReturnCode() {}
}
