package dev.sluice.models.spapr;

/// The first output of an RTAS call: LoPAR, "RTAS Status Word Values".
public final class RtasStatus {
  /// Done.
  public static final int SUCCESS = 0;

  /// The call failed for a reason that is not the caller's.
  public static final int HARDWARE_ERROR = -1;

  /// The number or the value of an argument is wrong.
  public static final int PARAMETER_ERROR = -3;

  private RtasStatus() {}
}
