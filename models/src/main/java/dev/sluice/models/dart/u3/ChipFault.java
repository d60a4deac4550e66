package dev.sluice.models.dart.u3;

/// The bridge's chip fault, of which a DART exception is one cause: an edge for each exception.
///
/// The bridge's own registers that mask and name its causes are not the DART's.
@FunctionalInterface
public interface ChipFault {
  /// An exception stands in the exception register. Called from any thread, one at a time or not;
  /// must not block.
  void raise();
}
