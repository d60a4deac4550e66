package dev.sluice.vfiouser.server;

import dev.sluice.pci.ConfigSpace;
import dev.sluice.pci.Interrupts;
import dev.sluice.pci.MsiCapability;
import dev.sluice.pci.MsixCapability;
import dev.sluice.vfiouser.transport.Event;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The function's interrupts and the client's events behind them. The device signals on any thread;
/// the client's messages change the table on the session's.
///
/// The client keeps the MSI-X table and its masks; here a vector has an event or it has none, and
/// without one the interrupt is lost, as it is in VFIO.
final class IrqTable implements Interrupts {
  private final @Nullable Event[][] events = new Event[IrqIndex.COUNT][];
  private final IntxLine intx;
  private final Traffic traffic;
  private final int vectors;

  /// @param traffic counts messages
  IrqTable(ConfigSpace config, Traffic traffic) {
    this.traffic = traffic;
    intx = new IntxLine(() -> config.command().intxDisabled());
    int msi = config.capability(MsiCapability.class).map(MsiCapability::vectors).orElse(0);
    int msix = config.capability(MsixCapability.class).map(MsixCapability::vectors).orElse(0);
    vectors = Math.max(msi, msix);
    events[IrqIndex.INTX] = new Event[config.interruptPin() == 0 ? 0 : 1];
    events[IrqIndex.MSI] = new Event[msi];
    events[IrqIndex.MSIX] = new Event[msix];
    events[IrqIndex.ERR] = new Event[1];
    events[IrqIndex.REQ] = new Event[1];
  }

  /// How many interrupts there are of a kind.
  int count(int index) {
    return events[index].length;
  }

  /// The pin.
  IntxLine intx() {
    return intx;
  }

  /// Fires through `event` from now on, or through none; the old one is closed. Not for the pin.
  void set(int index, int vector, @Nullable Event event) {
    Event old;
    synchronized (this) {
      old = events[index][vector];
      events[index][vector] = event;
    }
    if (old != null) {
      old.close();
    }
  }

  /// Fires one interrupt, if it has an event. Not for the pin.
  ///
  /// @return whether it has
  boolean fire(int index, int vector) {
    Event event;
    synchronized (this) {
      event = events[index][vector];
    }
    // An event that is closed in between swallows the signal.
    if (event != null) {
      event.signal();
    }
    return event != null;
  }

  @Override
  public void signal(int vector) {
    Objects.checkIndex(vector, vectors);
    boolean sent = vector < count(IrqIndex.MSIX) && fire(IrqIndex.MSIX, vector);
    if (!sent && vector < count(IrqIndex.MSI)) {
      sent = fire(IrqIndex.MSI, vector);
    }
    if (sent) {
      traffic.interrupted();
    }
  }

  @Override
  public void pin(boolean asserted) {
    if (count(IrqIndex.INTX) > 0) {
      intx.pin(asserted);
    }
  }

  /// Takes the events of one kind away.
  void disable(int index) {
    if (index == IrqIndex.INTX) {
      intx.setResample(null);
      intx.setTrigger(null);
    }
    for (int vector = 0; vector < count(index); vector++) {
      set(index, vector, null);
    }
  }

  /// Takes all events away: the client has gone.
  void disableAll() {
    for (int index = 0; index < IrqIndex.COUNT; index++) {
      disable(index);
    }
  }
}
