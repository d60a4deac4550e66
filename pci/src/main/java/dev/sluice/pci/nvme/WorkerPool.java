package dev.sluice.pci.nvme;

import dev.sluice.pci.DeviceThread;
import dev.sluice.pci.Linger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The threads that execute I/O commands, and the queues that wait for one of them.
///
/// A thread takes the queue that has waited longest, fetches one command from it, puts the queue
/// back if it may have another, and executes the command: round robin over the queues, a command a
/// turn (NVMe 1.4, 4.13.1). Platform threads, since file I/O would hold a virtual thread's carrier.
///
/// How many threads do so at a time depends on the [Pace]:
/// - While commands are quick, one thread, the *server*, does everything: it goes from command to
///   command without a lock's wait or a wake-up, tells the guest of several results at once, and
///   [lingers][Linger] when nothing is left; if the guest has much under way, it [naps][Nap]
///   between its looks instead. Another one, the *standby*, looks at it every millisecond, and
///   becomes the server in its place when it is held up by a command. A server that meets a command
///   which is known to take long gives its role up first.
/// - While they are slow, as many threads as there are: each queue that is put back wakes one.
final class WorkerPool {
  /// How often the standby looks: how long a command that is slow against all expectation can hold
  /// up the others.
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  /// How many looks without a server the standby stays awake for, since it costs a wake-up to have
  /// it back.
  private static final int PATIENCE = 10;

  /// How many results may wait for one interrupt while there are more commands,
  private static final int RESULTS = 8;

  /// and how long, counted from the start of the first one's command: the guest should prepare its
  /// next commands while these execute. One that is busy for longer can wait as long as for a nap.
  private static final long RESULTS_NANOS = 25_000;

  /// How many naps in a row may find nothing. After them the guest is asked to ring.
  private static final int NAPS_IN_VAIN = 4;

  private final CommandRunner runner;
  private final List<Worker> workers = new ArrayList<>();
  private final Pace pace = new Pace();
  private final ReentrantLock lock = new ReentrantLock();

  /// For workers that sleep until there is something to do.
  private final Condition needed = lock.newCondition();

  /// For the standby.
  private final Condition look = lock.newCondition();

  /// For the server while it naps.
  private final Condition offered = lock.newCondition();

  // Under the lock.

  /// At most one entry a submission queue of a run, since an entry is the right to fetch from it.
  private final ArrayDeque<Ready> ready = new ArrayDeque<>();

  private @Nullable Worker server;
  private @Nullable Worker standby;
  private int idle;
  private boolean closed;

  /// Of the server.
  private final Linger linger = new Linger();

  /// Of the server.
  private final Nap nap = new Nap();

  /// A queue with the right to fetch from it.
  private record Ready(Run run, SubmissionQueue queue) {}

  /// A pool of `count` threads, to be [started][#start()].
  ///
  /// @param name of the threads, before their number
  WorkerPool(CommandRunner runner, String name, int count) {
    this.runner = runner;
    for (int i = 0; i < count; i++) {
      workers.add(new Worker(name + "-io-" + i));
    }
  }

  void start() {
    workers.forEach(worker -> worker.thread.start());
  }

  /// Lets a thread fetch from `queue`, if there may be something to fetch and nobody has the right.
  /// Does not wait.
  void offer(Run run, SubmissionQueue queue) {
    if (!queue.claim()) {
      return;
    }
    lock.lock();
    try {
      ready.add(new Ready(run, queue));
      // A server comes round to it by itself.
      if (server == null || pace.isSlow()) {
        wakeOne();
      }
      offered.signal();
    } finally {
      lock.unlock();
    }
  }

  /// Ends the threads and waits for them; what still waits is dropped.
  void close() {
    lock.lock();
    try {
      closed = true;
      needed.signalAll();
      look.signalAll();
      offered.signalAll();
    } finally {
      lock.unlock();
    }
    workers.forEach(worker -> worker.thread.join());
  }

  /// Waits for a queue.
  ///
  /// @return null when the pool is closed
  private @Nullable Ready take(Worker me) {
    lock.lock();
    try {
      while (!closed) {
        if (mayServe(me)) {
          if (!ready.isEmpty()) {
            serve(me);
            return ready.remove();
          }
          if (server == me && !pace.isSlow() && linger.isWorthwhile(System.nanoTime())) {
            breathe(me);
            continue;
          }
        }
        rest(me);
      }
      return null;
    } finally {
      lock.unlock();
    }
  }

  /// Takes the next queue, if it is one of `run`.
  private @Nullable SubmissionQueue next(Worker me, Run run) {
    lock.lock();
    try {
      Ready first = mayServe(me) && !closed ? ready.peek() : null;
      if (first == null || first.run() != run) {
        return null;
      }
      serve(me);
      ready.remove();
      return first.queue();
    } finally {
      lock.unlock();
    }
  }

  /// Gives a queue back that may have more commands.
  ///
  /// @return how many queues wait
  private int putBack(Run run, SubmissionQueue queue) {
    lock.lock();
    try {
      ready.add(new Ready(run, queue));
      if (pace.isSlow()) {
        wakeOne();
      }
      return ready.size();
    } finally {
      lock.unlock();
    }
  }

  // --- roles, under the lock

  private boolean mayServe(Worker me) {
    return server == null || server == me || pace.isSlow();
  }

  private void serve(Worker me) {
    if (server == null) {
      server = me;
      if (standby == null) {
        needed.signal();
      }
    }
  }

  /// The standby is left alone if there is another: it would have to be replaced.
  private void wakeOne() {
    if (idle > 0) {
      needed.signal();
    } else {
      look.signal();
    }
  }

  /// Gives the role of the server up; whoever is idle takes it if there is something to do.
  private void stepDown(Worker me) {
    lock.lock();
    try {
      if (server == me) {
        server = null;
        if (!ready.isEmpty()) {
          wakeOne();
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /// Lets others have the lock and the processor for a moment.
  private void breathe(Worker me) {
    lock.unlock();
    try {
      me.pause();
    } finally {
      lock.lock();
    }
  }

  /// Sleeps, until something may have changed for [#take].
  @SuppressWarnings("WaitNotInLoop") // The loop is that of take.
  private void rest(Worker me) {
    if (server == me) {
      server = null;
    }
    if (standby == null && me.patience > 0) {
      standby = me;
      try {
        standBy(me);
      } finally {
        standby = null;
      }
    } else {
      idle++;
      try {
        needed.awaitUninterruptibly();
      } finally {
        idle--;
      }
      me.patience = PATIENCE;
    }
  }

  private void standBy(Worker me) {
    Worker watched = server;
    long seen = watched == null ? 0 : watched.progress.get();
    if (!awaitLook()) {
      return;
    }
    me.patience = server == null ? me.patience - 1 : PATIENCE;
    if (watched != null && watched == server && watched.progress.get() == seen) {
      server = null;
      lock.unlock();
      try {
        watched.tellForIt();
      } finally {
        lock.lock();
      }
    }
  }

  /// Sleeps for a while, or until more queues wait than those that are known.
  @SuppressWarnings("WaitNotInLoop") // The loop is that of visit.
  private void awaitOffer(int known, long nanos) {
    lock.lock();
    try {
      if (ready.size() == known && !closed) {
        offered.awaitNanos(nanos);
      }
    } catch (InterruptedException e) {
      // As for awaitLook.
    } finally {
      lock.unlock();
    }
  }

  /// @return false if somebody signalled before
  @SuppressWarnings("WaitNotInLoop") // The loop is that of take.
  private boolean awaitLook() {
    try {
      return look.awaitNanos(LOOK_NANOS) <= 0;
    } catch (InterruptedException e) {
      // Nobody may, see DeviceThread. Not passed on: it would close the file of the next command.
      return false;
    }
  }

  /// One thread with what it needs.
  private final class Worker {
    private final DeviceThread thread;
    private final CommandBuffers buffers = new CommandBuffers();
    private final Results results = new Results();

    /// Where the results belong, while the worker is inside.
    private volatile @Nullable Run inside;

    /// When the first command began whose result the guest was not told of.
    private long untoldSince;

    /// Whether the last look found nothing.
    private boolean idle;

    /// Looks that found nothing, since the last command or pause.
    private int looks;

    /// Pauses since the last command.
    private int pauses;

    /// The run that was served last, by the worker itself.
    private @Nullable Run last;

    /// Changes as long as the worker is not held up.
    private final AtomicLong progress = new AtomicLong();

    /// Looks for which it still stands by without a server. Under the lock.
    private int patience = PATIENCE;

    Worker(String name) {
      thread = new DeviceThread(name, this::work);
    }

    private void work() {
      boolean more = true;
      while (more) {
        try {
          more = workOnce();
        } catch (InternalError e) {
          // Of an access that is over: see GuestMemory. It was one for the last run.
          Run broken = last;
          if (broken != null) {
            runner.defect(broken, e);
          }
        }
      }
    }

    /// @return whether there may be more
    private boolean workOnce() {
      Ready next = take(this);
      if (next == null) {
        return false;
      }
      Run run = next.run();
      // The right to fetch from a queue of a run that has ended goes with the queue.
      if (run.enter()) {
        last = run;
        inside = run;
        try {
          visit(run, next.queue());
        } catch (RuntimeException | Error e) {
          runner.defect(run, e);
        } finally {
          results.end(run);
          inside = null;
          run.leave();
        }
      }
      return true;
    }

    /// Serves the queues of one run until there is nothing left, or others do.
    private void visit(Run run, SubmissionQueue first) {
      idle = true;
      looks = 0;
      pauses = 0;
      for (SubmissionQueue queue = first; queue != null; queue = next(this, run)) {
        progress.incrementAndGet();
        switch (runner.fetch(run, queue, buffers)) {
          case COMMAND -> execute(run, queue);
          case NOTHING -> lookAgain(run, queue);
          case GONE -> {}
        }
      }
      results.tell(run);
    }

    private void execute(Run run, SubmissionQueue queue) {
      long begun = System.nanoTime();
      linger.found(begun);
      if (idle) {
        nap.found(begun, runner.underWay(run, queue));
        idle = false;
      }
      nap.fetched();
      looks = 0;
      pauses = 0;
      boolean known = runner.mayTakeLong(run, buffers);
      boolean quick = !known && !pace.isSlow();
      if (queue.isEmpty() && !(quick && queue.shadow() != null)) {
        // Nobody is going to look soon.
        settle(run, queue);
      } else {
        putBack(run, queue);
      }
      if (known) {
        results.tell(run);
        stepDown(this);
      }
      int untold;
      try {
        runner.execute(run, queue, buffers);
      } finally {
        untold = results.add(queue);
      }
      if (untold == 1) {
        untoldSince = begun;
      }
      long ended = System.nanoTime();
      if (!known) {
        pace.add(ended - begun, buffers.entry().transferLength());
      }
      long longest = Math.max(RESULTS_NANOS, nap.nanos());
      if (!quick || untold >= RESULTS || ended - untoldSince >= longest) {
        results.tell(run);
      }
    }

    private void lookAgain(Run run, SubmissionQueue queue) {
      idle = true;
      looks++;
      boolean recent = linger.isWorthwhile(System.nanoTime());
      long sleep = pauses < NAPS_IN_VAIN ? nap.nanos() : 0;
      if (pace.isSlow() || !(recent || sleep > 0)) {
        settle(run, queue);
        return;
      }
      int waiting = putBack(run, queue);
      if (looks >= waiting) {
        // With nothing found in any queue, the guest should know what there is.
        results.tell(run);
        if (sleep > 0) {
          progress.incrementAndGet();
          awaitOffer(waiting, sleep);
        } else {
          pause();
        }
        looks = 0;
        pauses++;
      }
    }

    /// Between two looks.
    private void pause() {
      progress.incrementAndGet();
      linger.pause();
    }

    private void settle(Run run, SubmissionQueue queue) {
      if (!runner.settle(run, queue)) {
        putBack(run, queue);
      }
    }

    /// Tells the guest of results while the worker itself is held up. By another one.
    void tellForIt() {
      Run run = inside;
      if (run != null && run.enter()) {
        try {
          results.tell(run);
        } finally {
          run.leave();
        }
      }
    }
  }
}
