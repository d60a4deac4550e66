package dev.sluice.vfiouser.server;

/// The numbers of a PCI function's kinds of interrupts, as VFIO gives them.
final class IrqIndex {
  /// The pin.
  static final int INTX = 0;

  /// Message signalled interrupts.
  static final int MSI = 1;

  /// MSI-X.
  static final int MSIX = 2;

  /// The device met an error that it cannot recover from.
  static final int ERR = 3;

  /// The device wants to be given up.
  static final int REQ = 4;

  /// How many there are.
  static final int COUNT = 5;

  private IrqIndex() {}
}
