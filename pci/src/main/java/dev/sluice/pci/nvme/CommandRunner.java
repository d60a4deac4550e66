package dev.sluice.pci.nvme;

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

  /// With the right to fetch from `queue`, and inside `run`: fetches its next command and ends the
  /// right.
  ///
  /// @return false if there is nothing to execute
  boolean fetch(Run run, SubmissionQueue queue, CommandBuffers buffers) {
    if (queue.deleted() || run.ended()) {
      run.giveBack(queue);
      return false;
    }
    var abort = queue.read(run.dma(), buffers.entry());
    if (abort != null) {
      run.giveBack(queue);
      fatal.accept(run, "submission queue " + queue.id() + ": " + abort);
      return false;
    }
    queue.fetched();
    return true;
  }

  /// Executes the fetched command and posts its result. Inside `run`.
  void execute(Run run, SubmissionQueue queue, CommandBuffers buffers) {
    Status status = guarded(run, queue, buffers);
    if (status != null) {
      complete(run, queue, buffers.entry().commandId(), status, buffers);
    }
    run.executed(queue);
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

  /// Posts a result that no command of its own led to.
  void post(Run run, SubmissionQueue queue, int commandId, Status status, int result) {
    if (!run.complete(queue, commandId, status, result)) {
      fatal.accept(run, "completion queue " + queue.completions().id() + " cannot be written");
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
