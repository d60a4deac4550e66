package dev.sluice.models.vtd;

/// Where interrupt messages go, the unit's own and its devices': a 4-byte write to an address that
/// the platform's interrupt controllers decode.
@FunctionalInterface
public interface InterruptSink {
  /// What the unit itself has to tell; each has a message of its own.
  enum Event {
    /// A fault was recorded, of a device's access or of the invalidation queue (VT-d 7.3).
    FAULT,
    /// A wait of the invalidation queue has completed (VT-d 6.5.2.11).
    COMPLETION
  }

  /// Delivers one message. Called from any thread, one at a time or not; must not block.
  ///
  /// @param address as the guest programmed it, 0xFEEx_xxxx on x86
  /// @param data likewise
  void send(long address, int data);

  /// Delivers a message of the unit's own, as [#send] does. The unit has forgotten the event by
  /// now: a platform that can lose messages, or whose devices send very many, overrides this to
  /// keep the last of each event until it is delivered.
  default void sendEvent(Event event, long address, int data) {
    send(address, data);
  }
}
