package dev.sluice.pci.nvme;

import dev.sluice.dma.TargetAbort;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/// What happens to a command between a submission queue and a completion queue, on whichever thread
/// it runs.
final class CommandRunner {
  private static final System.Logger LOG = System.getLogger(CommandRunner.class.getName());

  private final IoCommands ioCommands;
  private final AdminCommands adminCommands;
  private final Counters counters;
  private final ErrorLog errors;
  private final BiConsumer<Run, String> fatal;

  /// A runner.
  ///
  /// @param fatal ends a run whose queues cannot be used any more, with the reason
  CommandRunner(
      IoCommands ioCommands,
      AdminCommands adminCommands,
      Counters counters,
      ErrorLog errors,
      BiConsumer<Run, String> fatal) {
    this.ioCommands = ioCommands;
    this.adminCommands = adminCommands;
    this.counters = counters;
    this.errors = errors;
    this.fatal = fatal;
  }

  /// What a fetch led to.
  enum Fetch {
    /// A command, now to be executed. The right to fetch is kept.
    COMMAND,
    /// There is no command, or no room for its result. The right is kept.
    NOTHING,
    /// There will be nothing more: the run has ended, or the queue. The right is, too.
    GONE
  }

  /// With the right to fetch from `queue`, and inside `run`: fetches its next command.
  Fetch fetch(Run run, SubmissionQueue queue, CommandBuffers buffers) {
    if (queue.deleted() || run.ended()) {
      run.giveBack(queue);
      return Fetch.GONE;
    }
    ShadowDoorbell shadow = queue.shadow();
    if (queue.isEmpty() && shadow != null) {
      TargetAbort abort = shadow.load(run.dma());
      if (abort != null) {
        return lost(run, queue, abort);
      }
      take(run, queue, shadow);
    }
    if (queue.isEmpty()) {
      return Fetch.NOTHING;
    }
    CompletionQueue completions = queue.completions();
    if (!completions.reserve()) {
      if (!look(run, completions, false)) {
        return gone(run, queue);
      }
      if (!completions.reserve()) {
        return Fetch.NOTHING;
      }
    }
    TargetAbort abort = queue.read(run.dma(), buffers.entry());
    if (abort != null) {
      completions.release();
      return lost(run, queue, abort);
    }
    queue.fetched();
    return Fetch.COMMAND;
  }

  /// Ends the right to fetch from a queue that had nothing, from which moment on the guest's
  /// doorbell is needed.
  ///
  /// @return false if there may be something after all; then the right is kept
  boolean settle(Run run, SubmissionQueue queue) {
    ShadowDoorbell shadow = queue.shadow();
    if (shadow != null) {
      TargetAbort abort = shadow.arm(run.dma(), queue.tail());
      if (abort != null) {
        lost(run, queue, abort);
        return true;
      }
      take(run, queue, shadow);
    }
    CompletionQueue completions = queue.completions();
    if (!queue.isEmpty()) {
      if (!completions.hasRoom() && !look(run, completions, true)) {
        gone(run, queue);
        return true;
      }
      if (completions.hasRoom()) {
        return false;
      }
    }
    return run.release(queue);
  }

  /// How many commands the guest has under way in `queue`, whose last fetch found one: that one,
  /// those that wait, and those whose results it has not taken out. Inside `run`.
  int underWay(Run run, SubmissionQueue queue) {
    CompletionQueue completions = queue.completions();
    look(run, completions, false);
    return 1 + queue.waiting() + completions.untaken();
  }

  private void take(Run run, SubmissionQueue queue, ShadowDoorbell shadow) {
    if (!queue.takeShadow(shadow.position())) {
      refuseDoorbell(run, queue.id());
    }
  }

  /// Looks what the guest has taken out of a completion queue.
  ///
  /// @return false if its memory cannot be reached, which has ended the run
  private boolean look(Run run, CompletionQueue completions, boolean arm) {
    switch (completions.look(run.dma(), arm)) {
      case TAKEN -> {}
      case REFUSED -> refuseDoorbell(run, completions.id());
      case ABORTED -> {
        fatal.accept(run, "shadow doorbell of completion queue " + completions.id());
        return false;
      }
    }
    return true;
  }

  private void refuseDoorbell(Run run, int queueId) {
    errors.doorbellRefused(queueId);
    run.events().raise(AsyncEvents.Type.ERROR, AsyncEvents.INVALID_DOORBELL_VALUE);
    run.changed();
  }

  private Fetch lost(Run run, SubmissionQueue queue, TargetAbort abort) {
    fatal.accept(run, "submission queue " + queue.id() + ": " + abort);
    return gone(run, queue);
  }

  private static Fetch gone(Run run, SubmissionQueue queue) {
    run.giveBack(queue);
    return Fetch.GONE;
  }

  /// Executes the fetched command and posts its result, of which the guest is still to be told;
  /// then the queue is to be [told][Run#executed] that the command has ended. Inside `run`.
  void execute(Run run, SubmissionQueue queue, CommandBuffers buffers) {
    Status status = guarded(run, queue, buffers);
    if (status != null) {
      complete(run, queue, buffers.entry().commandId(), status, buffers);
    }
  }

  /// Whether the I/O command in `buffers` is one that waits for the host's disk, whatever the page
  /// cache has.
  boolean mayTakeLong(Run run, CommandBuffers buffers) {
    return ioCommands.mayTakeLong(run, buffers.entry());
  }

  /// Posts the result of a command.
  void complete(
      Run run, SubmissionQueue queue, int commandId, Status status, CommandBuffers buffers) {
    boolean admin = queue.id() == 0;
    counters.completed(admin, status);
    if (status != Status.SUCCESS) {
      SubmissionEntry entry = buffers.entry();
      long block = admin ? 0 : entry.startingBlock();
      errors.add(queue.id(), commandId, status, block, entry.namespaceId());
    }
    post(run, queue, commandId, status, admin ? buffers.result() : 0);
  }

  /// Posts a result that no command of its own led to. The guest is told at once of those of the
  /// admin queue, and of the others by whoever called, who may have more of them.
  void post(Run run, SubmissionQueue queue, int commandId, Status status, int result) {
    CompletionQueue completions = queue.completions();
    if (!run.post(queue, commandId, status, result)) {
      fatal.accept(run, "completion queue " + completions.id() + " cannot be written");
    } else if (queue.id() == 0) {
      run.interrupt(completions);
    }
  }

  /// Ends a run in which the controller, or its host, did what it must not: the guest sees the
  /// fatal status, and the thread lives on.
  void defect(Run run, Throwable e) {
    LOG.log(System.Logger.Level.ERROR, "a defect of the controller or its host", e);
    fatal.accept(run, "defect");
  }

  /// A defect in a command costs the guest that command, and nobody the thread.
  private @Nullable Status guarded(Run run, SubmissionQueue queue, CommandBuffers buffers) {
    try {
      return queue.id() == 0
          ? adminCommands.execute(run, buffers)
          : ioCommands.execute(run, buffers);
    } catch (RuntimeException | Error e) {
      LOG.log(System.Logger.Level.ERROR, "a command failed by a defect of the controller", e);
      return Status.INTERNAL_ERROR;
    }
  }
}
