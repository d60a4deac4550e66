package dev.sluice.dma;

/// A [Mapping] was used after it had been taken away: the guest invalidated its range, or the
/// memory had to go, and the device did not let go before the deadline. A bounce mapping is taken
/// away with its context only. Nothing was touched.
public final class MappingRevokedException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  MappingRevokedException(BounceMapping mapping) {
    super("taken away with its context: " + mapping);
  }

  MappingRevokedException(Mapping mapping) {
    super("revoked, as it kept the guest waiting beyond the deadline: " + mapping);
  }
}
