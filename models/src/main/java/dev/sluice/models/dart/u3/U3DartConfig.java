package dev.sluice.models.dart.u3;

import dev.sluice.iommu.RequesterId;
import java.util.function.Predicate;

/// The knobs of a U3 or U4 DART.
///
/// @param bridge whose registers it has
/// @param onPciExpress which requesters are on the bridge's own PCI Express, and not behind
///   HyperTransport: on a U4 these can go past the DART by addresses from 0x80_0000_0000 on.
///   Exceptions tell the two apart
public record U3DartConfig(Bridge bridge, Predicate<RequesterId> onPciExpress) {
  /// A U3, everything behind HyperTransport.
  public static final U3DartConfig U3 = new U3DartConfig(Bridge.U3, _ -> false);

  /// A U4, everything on its own PCI Express.
  public static final U3DartConfig U4 = new U3DartConfig(Bridge.U4, _ -> true);

  /// The same with other requesters on PCI Express.
  public U3DartConfig withOnPciExpress(Predicate<RequesterId> which) {
    return new U3DartConfig(bridge, which);
  }
}
