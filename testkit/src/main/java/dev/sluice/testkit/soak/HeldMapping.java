package dev.sluice.testkit.soak;

import dev.sluice.dma.Mapping;
import dev.sluice.memory.Access;

/// A mapping, and what the shadow knows of the moment in which it was made. It is of the tenancies
/// of that moment until it ends, whatever the guest does meanwhile.
///
/// @param window of the call that made it, closed
/// @param shared whether several threads may have it at hand, so that one of them may close it
record HeldMapping(Requester requester, Mapping mapping, AccessWindow window, boolean shared) {
  boolean reads() {
    return mapping.access().reads();
  }

  boolean writes() {
    return mapping.access() != Access.READ;
  }

  HeldMapping handedOver() {
    return new HeldMapping(requester, mapping, window, true);
  }
}
