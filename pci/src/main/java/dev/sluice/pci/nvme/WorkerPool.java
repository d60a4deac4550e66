package dev.sluice.pci.nvme;

import dev.sluice.pci.DeviceThread;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The threads that execute I/O commands, and the queues that wait for one of them.
///
/// A thread takes the queue that has waited longest, fetches one command from it, puts the queue
/// back if it has another, and executes the command: round robin over the queues, a command a turn
/// (NVMe 1.4, 4.13.1), and as many commands at a time as there are threads, of one queue or of
/// many. Platform threads, since file I/O would hold a virtual thread's carrier.
final class WorkerPool {
  private final CommandRunner runner;
  private final List<DeviceThread> threads = new ArrayList<>();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition added = lock.newCondition();

  /// At most one entry a submission queue of a run, since an entry is the right to fetch from it.
  private final ArrayDeque<Ready> ready = new ArrayDeque<>();

  private boolean closed;

  /// A queue with the right to fetch from it.
  private record Ready(Run run, SubmissionQueue queue) {}

  /// A pool of `count` threads, to be [started][#start()].
  ///
  /// @param name of the threads, before their number
  WorkerPool(CommandRunner runner, String name, int count) {
    this.runner = runner;
    for (int i = 0; i < count; i++) {
      threads.add(new DeviceThread(name + "-io-" + i, this::work));
    }
  }

  void start() {
    threads.forEach(DeviceThread::start);
  }

  /// Lets a thread fetch from `queue`, if there is something to fetch and nobody has the right.
  void offer(Run run, SubmissionQueue queue) {
    if (!queue.claim()) {
      return;
    }
    lock.lock();
    try {
      ready.add(new Ready(run, queue));
      added.signal();
    } finally {
      lock.unlock();
    }
  }

  /// Ends the threads and waits for them; what still waits is dropped.
  void close() {
    lock.lock();
    try {
      closed = true;
      added.signalAll();
    } finally {
      lock.unlock();
    }
    threads.forEach(DeviceThread::join);
  }

  private void work() {
    CommandBuffers buffers = new CommandBuffers();
    for (Ready next = take(); next != null; next = take()) {
      Run run = next.run();
      // The right to fetch from a queue of a run that has ended goes with the queue.
      if (run.enter()) {
        try {
          work(run, next.queue(), buffers);
        } catch (RuntimeException | Error e) {
          runner.defect(run, e);
        } finally {
          run.leave();
        }
      }
    }
  }

  private void work(Run run, SubmissionQueue queue, CommandBuffers buffers) {
    if (runner.fetch(run, queue, buffers)) {
      offer(run, queue);
      runner.execute(run, queue, buffers);
    }
  }

  private @Nullable Ready take() {
    lock.lock();
    try {
      while (ready.isEmpty() && !closed) {
        added.awaitUninterruptibly();
      }
      return closed ? null : ready.remove();
    } finally {
      lock.unlock();
    }
  }
}
