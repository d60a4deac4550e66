package dev.sluice.vm;

import dev.sluice.models.vtd.InterruptSink;
import dev.sluice.pci.ConfigSpace;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;

/// The IOMMU's own interrupt messages, on their way to a guest in QEMU.
///
/// QEMU performs a function's write to memory only while the function is a bus master, and nobody
/// makes the IOMMU's function one: on hardware the unit is no PCI function at all. So a message
/// goes through a function that is. There is one whenever there was a fault to report, since only a
/// bus master can have caused it; an event of the invalidation queue may find none. Its message
/// stays pending then, as in a unit that may not send yet (VT-d 7.3), and goes out as soon as a
/// function becomes a bus master.
final class IommuMessages implements InterruptSink {
  /// The unit's kinds of events, faults and completed invalidations: each has one message at a
  /// time. A third can only be there because the guest has programmed a kind's message anew.
  static final int MAX_PENDING = 2;

  private static final Logger LOG = System.getLogger(IommuMessages.class.getName());

  /// A way to the guest.
  @FunctionalInterface
  interface Way {
    /// Writes 4 bytes to a guest-physical address, some time soon; waits for nothing.
    ///
    /// @return false when it does not take the message
    boolean post(long address, int data);
  }

  private record Message(long address, int data) {}

  private record Function(ConfigSpace config, Way way) {}

  private final List<Function> functions = new CopyOnWriteArrayList<>();
  private final ReentrantLock lock = new ReentrantLock();

  /// Oldest first, no two equal. Guarded by the lock, which is held while they are posted, too:
  /// none may be put back behind the back of the function that has just become a bus master.
  private final ArrayDeque<Message> pending = new ArrayDeque<>();

  /// Messages may go through a function from now on.
  ///
  /// @param config of the function, which tells when it is a bus master
  /// @param way what the function's client performs
  void addFunction(ConfigSpace config, Way way) {
    functions.add(new Function(config, way));
    config.onCommand(command -> {
      if (command.busMaster()) {
        goOn();
      }
    });
  }

  @Override
  public void send(long address, int data) {
    Message message = new Message(address, data);
    lock.lock();
    try {
      pending.remove(message);
      if (pending.size() == MAX_PENDING) {
        pending.removeFirst();
      }
      pending.addLast(message);
    } finally {
      lock.unlock();
    }
    goOn();
  }

  /// Forgets what is pending: the IOMMU was reset.
  void clear() {
    lock.lock();
    try {
      pending.clear();
    } finally {
      lock.unlock();
    }
  }

  private void goOn() {
    lock.lock();
    try {
      while (!pending.isEmpty() && post(pending.getFirst())) {
        pending.removeFirst();
      }
      if (!pending.isEmpty()) {
        LOG.log(
            Level.DEBUG,
            "an interrupt of the IOMMU waits until a function of this machine is a bus master");
      }
    } finally {
      lock.unlock();
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
