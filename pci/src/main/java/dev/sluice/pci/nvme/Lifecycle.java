package dev.sluice.pci.nvme;

import dev.sluice.pci.DeviceThread;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// CC, CSTS, and the management thread between them (NVMe 1.4, 7.3 to 7.6).
///
/// A register write says what the guest wants and returns; the management thread brings it about
/// and shows it in CSTS. A reset ends the run at once, and CSTS.RDY becomes 0 when no command of
/// the run can touch guest memory any more. The thread also executes the admin commands, so that no
/// other thread ever sees the queues change.
final class Lifecycle {
  private static final System.Logger LOG = System.getLogger(Lifecycle.class.getName());

  private final Namespace namespace;
  private final Counters counters;
  private final String threadName;
  private final CommandBuffers buffers = new CommandBuffers();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  // Under the lock.
  private ControllerConfiguration configuration = ControllerConfiguration.RESET;
  private int status;
  private boolean resetWanted;
  private boolean shutdownWanted;
  private boolean closed;
  private final List<Runnable> resetListeners = new ArrayList<>();

  private volatile @Nullable Run run;
  private @Nullable DeviceThread thread;

  /// Makes a run of the registers as they are.
  interface RunFactory {
    /// The run, with its admin queues.
    ///
    /// @param configuration CC, enabled
    /// @param runChanged to be given to the run
    /// @return null if the controller cannot be enabled like this
    @Nullable Run create(ControllerConfiguration configuration, Runnable runChanged);
  }

  private enum Step {
    FINISH_RESET,
    FINISH_SHUTDOWN,
    START,
    FINISH_DELETION,
    REPORT_EVENT,
    EXECUTE,
    END
  }

  /// A disabled controller.
  ///
  /// @param threadName of the management thread
  Lifecycle(Namespace namespace, Counters counters, String threadName) {
    this.namespace = namespace;
    this.counters = counters;
    this.threadName = threadName;
  }

  /// Starts the management thread.
  ///
  /// @param commands executes the admin commands
  /// @param runs makes a run when the guest enables the controller
  void start(CommandRunner commands, RunFactory runs) {
    DeviceThread started = new DeviceThread(threadName, () -> manage(commands, runs));
    thread = started;
    started.start();
  }

  // --- for the thread that serves the guest: nothing here waits

  /// The current run, which may have ended.
  @Nullable Run run() {
    return run;
  }

  ControllerConfiguration configuration() {
    lock.lock();
    try {
      return configuration;
    } finally {
      lock.unlock();
    }
  }

  /// CSTS.
  int status() {
    lock.lock();
    try {
      return status;
    } finally {
      lock.unlock();
    }
  }

  /// The guest's write to CC.
  void configure(ControllerConfiguration written) {
    lock.lock();
    try {
      ControllerConfiguration before = configuration;
      configuration = written;
      if (before.enabled() && !written.enabled()) {
        endRun();
      } else if (written.shutdownRequested() && !before.shutdownRequested()) {
        beginShutdown();
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// A reset from outside: CC as after reset.
  ///
  /// @param completed runs once the reset is complete
  void reset(Runnable completed) {
    lock.lock();
    try {
      if (!closed) {
        configuration = ControllerConfiguration.RESET;
        endRun();
        resetListeners.add(completed);
        changed.signalAll();
        return;
      }
    } finally {
      lock.unlock();
    }
    completed.run();
  }

  /// There may be something to do for the management thread.
  void wake() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void endRun() {
    resetWanted = true;
    shutdownWanted = false;
    Run current = run;
    if (current != null) {
      current.end();
    }
  }

  private void beginShutdown() {
    shutdownWanted = true;
    status = (status & ~ControllerStatus.SHUTDOWN) | ControllerStatus.SHUTDOWN_OCCURRING;
    Run current = run;
    if (current != null) {
      current.end();
    }
  }

  // --- for any thread of the controller

  /// Ends a run whose queues cannot be used: CSTS.CFS until the next reset.
  void fatal(Run broken, String reason) {
    LOG.log(System.Logger.Level.DEBUG, "controller fatal status: {0}", reason);
    broken.end();
    lock.lock();
    try {
      if (broken == run && !resetWanted) {
        status |= ControllerStatus.FATAL;
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// Ends the run and the management thread, and waits for both.
  void close() {
    lock.lock();
    try {
      closed = true;
      configuration = ControllerConfiguration.RESET;
      endRun();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    DeviceThread started = thread;
    if (started != null) {
      started.join();
    }
  }

  // --- the management thread

  private void manage(CommandRunner commands, RunFactory runs) {
    boolean more = true;
    while (more) {
      try {
        more = take(next(), commands, runs);
      } catch (InternalError e) {
        // Of an access that is over: see GuestMemory. It was one for the run.
        Run current = run;
        if (current != null) {
          commands.defect(current, e);
        }
      }
    }
  }

  /// @return whether another step follows
  private boolean take(Step step, CommandRunner commands, RunFactory runs) {
    switch (step) {
      case FINISH_RESET -> finishReset();
      case FINISH_SHUTDOWN -> finishShutdown();
      case START -> startRun(runs);
      case END -> {}
      case FINISH_DELETION, REPORT_EVENT, EXECUTE -> serve(step, commands);
    }
    return step != Step.END;
  }

  private Step next() {
    lock.lock();
    try {
      for (Step step = possible(); ; step = possible()) {
        if (step != null) {
          return step;
        }
        changed.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  /// The most urgent step that can be taken now. Under the lock.
  private @Nullable Step possible() {
    Run current = run;
    boolean quiet = current == null || current.drained();
    if (resetWanted) {
      return quiet ? Step.FINISH_RESET : null;
    }
    if (closed) {
      return Step.END;
    }
    if (shutdownWanted) {
      return quiet ? Step.FINISH_SHUTDOWN : null;
    }
    if (current == null) {
      boolean startable = configuration.enabled() && status == 0;
      return startable ? Step.START : null;
    }
    return current.ended() ? null : adminStep(current);
  }

  /// What the admin queues of a live run need.
  private static @Nullable Step adminStep(Run current) {
    SubmissionQueue admin = current.queues().admin();
    Run.Deletion deletion = current.deletion();
    if (deletion != null) {
      return deletion.queue().idle() ? Step.FINISH_DELETION : null;
    }
    if (current.events().reportable() && admin.completions().reserve()) {
      return Step.REPORT_EVENT;
    }
    return admin.claim() ? Step.EXECUTE : null;
  }

  private void finishReset() {
    List<Runnable> listeners;
    counters.reset();
    lock.lock();
    try {
      run = null;
      resetWanted = false;
      status = 0;
      listeners = List.copyOf(resetListeners);
      resetListeners.clear();
    } finally {
      lock.unlock();
    }
    listeners.forEach(Runnable::run);
  }

  /// What was written is made to last before the guest hears that power may go.
  private void finishShutdown() {
    boolean kept = true;
    try {
      namespace.backend().flush();
    } catch (IOException e) {
      kept = false;
      LOG.log(System.Logger.Level.ERROR, "the image file failed the flush of a shutdown", e);
    }
    lock.lock();
    try {
      if (shutdownWanted) {
        shutdownWanted = false;
        status =
            kept
                ? (status & ~ControllerStatus.SHUTDOWN) | ControllerStatus.SHUTDOWN_COMPLETE
                : status | ControllerStatus.FATAL;
      }
    } finally {
      lock.unlock();
    }
  }

  private void startRun(RunFactory runs) {
    Run started = runs.create(configuration(), this::wake);
    lock.lock();
    try {
      if (started == null) {
        status |= ControllerStatus.FATAL;
      } else {
        run = started;
        if (resetWanted || shutdownWanted) {
          started.end();
        } else {
          status |= ControllerStatus.READY;
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private void serve(Step step, CommandRunner commands) {
    Run current = run;
    if (current == null || !current.enter()) {
      return;
    }
    try {
      SubmissionQueue admin = current.queues().admin();
      switch (step) {
        case FINISH_DELETION -> finishDeletion(current, commands);
        case REPORT_EVENT -> reportEvent(current, commands);
        default -> {
          if (commands.fetch(current, admin, buffers) == CommandRunner.Fetch.COMMAND) {
            admin.giveBack();
            commands.execute(current, admin, buffers);
            admin.executed();
          } else {
            admin.giveBack();
          }
        }
      }
    } catch (RuntimeException | Error e) {
      commands.defect(current, e);
    } finally {
      current.leave();
    }
  }

  private void finishDeletion(Run current, CommandRunner commands) {
    Run.Deletion deletion = current.deletion();
    if (deletion != null) {
      current.queues().remove(deletion.queue());
      current.deletion(null);
      buffers.result(0);
      SubmissionQueue admin = current.queues().admin();
      commands.complete(current, admin, deletion.commandId(), Status.SUCCESS, buffers);
    }
  }

  private static void reportEvent(Run current, CommandRunner commands) {
    SubmissionQueue admin = current.queues().admin();
    AsyncEvents.Report report = current.events().next();
    if (report == null) {
      admin.completions().release();
    } else {
      commands.post(current, admin, report.commandId(), report.status(), report.result());
    }
  }
}
