package dev.sluice.vm;

import dev.sluice.models.vtd.InterruptSink;
import dev.sluice.pci.ConfigSpace;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;

/// The interrupt messages of the IOMMU and of the devices behind it, on their way to a guest in
/// QEMU.
///
/// QEMU performs a function's write to memory only while the function is a bus master, and nobody
/// makes the IOMMU's function one: on hardware the unit is no PCI function at all. So a message
/// goes through a function that is. There is one whenever there was a fault to report, since only a
/// bus master can have caused it; an event of the invalidation queue may find none. A function's
/// client refuses, too: when it has gone, or has taken none of very many.
///
/// What the unit has to tell is told once: a message of its own that nobody takes stays pending, as
/// in a unit that may not send yet (VT-d 7.3), one for each [Event]. It is offered again when a
/// function becomes a bus master, as one does after its client has come back, and before each
/// further message of the unit or a device. Clients do not say when they take messages again, so
/// behind a queue that devices have filled it waits for one of these.
///
/// A message of a device is offered once and dropped if nobody takes it: a guest may make its
/// devices send any number, and they must not be in the way of the unit's.
final class IommuMessages implements InterruptSink {
  private static final Logger LOG = System.getLogger(IommuMessages.class.getName());

  /// A way to the guest.
  @FunctionalInterface
  interface Way {
    /// Writes 4 bytes to a guest-physical address, some time soon; waits for nothing. Called with
    /// the lock of the messages held.
    ///
    /// @return false when it does not take the message
    boolean post(long address, int data);
  }

  private record Message(long address, int data) {}

  private record Function(ConfigSpace config, Way way) {}

  private final List<Function> functions = new CopyOnWriteArrayList<>();

  /// Held from when a message is there until it is posted or pends: nobody sees one in between. No
  /// lock but that of a function's COMMAND and of its client's posts is taken within.
  private final ReentrantLock lock = new ReentrantLock();

  /// The unit's own that nobody has taken, oldest first: at most one for each event. The last one,
  /// as a unit that may not send yet keeps the event and sends what is programmed when it may.
  /// Guarded by the lock.
  private final LinkedHashMap<Event, Message> pending = new LinkedHashMap<>();

  /// Messages may go through a function from now on.
  ///
  /// @param config of the function, which tells when it is a bus master
  /// @param way what the function's client performs
  void addFunction(ConfigSpace config, Way way) {
    functions.add(new Function(config, way));
    config.onCommand(command -> {
      if (command.busMaster()) {
        locked(this::goOn);
      }
    });
  }

  /// A message of a device.
  @Override
  public void send(long address, int data) {
    locked(() -> {
      goOn();
      if (!post(new Message(address, data))) {
        LOG.log(Level.DEBUG, "no function of this machine takes a device's interrupt: it is lost");
      }
    });
  }

  @Override
  public void sendEvent(Event event, long address, int data) {
    locked(() -> {
      pending.putLast(event, new Message(address, data));
      goOn();
    });
  }

  /// Forgets what is pending: the IOMMU was reset.
  void clear() {
    locked(pending::clear);
  }

  private void locked(Runnable work) {
    lock.lock();
    try {
      work.run();
    } finally {
      lock.unlock();
    }
  }

  /// Posts what pends, as far as it is taken.
  private void goOn() {
    Map.Entry<Event, Message> first = pending.firstEntry();
    while (first != null && post(first.getValue())) {
      pending.remove(first.getKey(), first.getValue());
      first = pending.firstEntry();
    }
    if (first != null) {
      LOG.log(
          Level.DEBUG, "an interrupt of the IOMMU waits until a function of this machine takes it");
    }
  }

  private boolean post(Message message) {
    for (Function each : functions) {
      if (each.config().command().busMaster()
          && each.way().post(message.address(), message.data())) {
        return true;
      }
    }
    return false;
  }
}
