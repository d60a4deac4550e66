package dev.sluice.models.dart.u3;

/// The two generations of the bridge, which differ in their registers and not in their table.
public enum Bridge {
  /// U3 and U3 Heavy (CPC925): one register holds everything, flushes are of the whole TLB.
  U3,
  /// U4 (CPC945): base and size have registers of their own, one page can be invalidated, and
  /// devices on the bridge's own PCI Express can go past the DART.
  U4
}
