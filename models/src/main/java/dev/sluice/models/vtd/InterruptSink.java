package dev.sluice.models.vtd;

/// Where the model's interrupt messages go: a 4-byte write to an address that the platform's
/// interrupt controllers decode.
@FunctionalInterface
public interface InterruptSink {
  /// Delivers one message. Called from any thread, one at a time or not; must not block.
  ///
  /// @param address as the guest programmed it, 0xFEEx_xxxx on x86
  /// @param data likewise
  void send(long address, int data);
}
