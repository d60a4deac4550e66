package dev.sluice.vm.guest.machine;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// The guest's one processor, as devices see it: a place to which message interrupts are written
/// (Intel SDM volume 3, 12.11).
///
/// ```
///  address  31                 20 19        12 11      4 3  2 1  0
///          |        0xFEE        | destination | reserved |RH|DM|  |
///  data     31      16 15   14 13   11 10    8 7                0
///          |  reserved |TM|LV|       | delivery|     vector       |
/// ```
///
/// Messages arrive on any thread and become pending; the guest's thread runs their handlers when it
/// waits for something, as a processor takes interrupts between two instructions.
public final class InterruptController {
  private static final long MESSAGE_ADDRESS = 0xFEE0_0000L;
  private static final long MESSAGE_RANGE = 0x10_0000L;
  private static final int FIRST_VECTOR = 0x30;
  private static final int VECTORS = 256;
  private static final int VECTOR_MASK = VECTORS - 1;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition arrived = lock.newCondition();
  private final BitSet pending = new BitSet(VECTORS);
  private final Map<Integer, Line> lines = new HashMap<>();
  private final KernelLog log;
  private int strayMessages;

  /// What runs when an interrupt is taken.
  @FunctionalInterface
  public interface Handler {
    /// Runs on the guest's thread.
    ///
    /// @throws HardwareException when the device is in a state that it must not be in
    void interrupt() throws HardwareException;
  }

  /// An interrupt that a device may be told to raise.
  ///
  /// @param address where its message goes
  /// @param data what is written there
  public record Message(long address, int data) {}

  private record Line(String name, Handler handler) {}

  /// A controller without vectors that reports stray messages to `log`.
  public InterruptController(KernelLog log) {
    this.log = log;
  }

  /// Reserves a vector.
  ///
  /// @param name of the device, for messages
  /// @return the message that raises it
  /// @throws HardwareException when all vectors are in use
  public Message request(String name, Handler handler) throws HardwareException {
    lock.lock();
    try {
      for (int vector = FIRST_VECTOR; vector < VECTORS; vector++) {
        if (lines.putIfAbsent(vector, new Line(name, handler)) == null) {
          pending.clear(vector);
          return new Message(MESSAGE_ADDRESS, vector);
        }
      }
    } finally {
      lock.unlock();
    }
    throw new HardwareException("the guest's processor has no interrupt vector left");
  }

  /// Gives a vector back.
  public void release(Message message) {
    lock.lock();
    try {
      lines.remove(message.data() & VECTOR_MASK);
    } finally {
      lock.unlock();
    }
  }

  /// A device writes `data` to `address`. Any thread; does not block.
  public void deliver(long address, int data) {
    lock.lock();
    try {
      if (address < MESSAGE_ADDRESS || address >= MESSAGE_ADDRESS + MESSAGE_RANGE) {
        strayMessages++;
      } else {
        pending.set(data & VECTOR_MASK);
      }
      arrived.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// Runs the handler of every pending interrupt, the highest vector first. On the guest's thread.
  void takePending() throws HardwareException {
    for (; ; ) {
      Line line;
      int vector;
      int stray;
      lock.lock();
      try {
        stray = strayMessages;
        strayMessages = 0;
        vector = pending.length() - 1;
        line = vector < 0 ? null : lines.get(vector);
        if (vector >= 0) {
          pending.clear(vector);
        }
      } finally {
        lock.unlock();
      }
      if (stray > 0) {
        log.warn("irq: " + stray + " interrupt messages outside of the interrupt range");
      }
      if (vector < 0) {
        return;
      }
      if (line == null) {
        log.warn("irq: no handler for vector " + vector);
      } else {
        line.handler().interrupt();
      }
    }
  }

  /// Waits until an interrupt is pending, at most `nanos`.
  void awaitPending(long nanos) throws InterruptedException {
    lock.lock();
    try {
      long left = nanos;
      while (pending.isEmpty() && left > 0) {
        left = arrived.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }
}
