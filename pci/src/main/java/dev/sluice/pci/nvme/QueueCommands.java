package dev.sluice.pci.nvme;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Create and delete I/O queues (NVMe 1.4, 5.3 to 5.6).
///
/// ```
///  dword 10:  31:16 entries - 1                 15:0 queue id
///  dword 11 of a completion queue:  31:16 interrupt vector         1 interrupts enabled   0 contiguous
///  dword 11 of a submission queue:  31:16 completion queue id    2:1 priority             0 contiguous
/// ```
final class QueueCommands {
  private static final int CONTIGUOUS = 1;
  private static final int INTERRUPTS_ENABLED = 1 << 1;

  private final int vectors;
  private final Supplier<ControllerConfiguration> configuration;

  /// The commands of a controller.
  ///
  /// @param vectors how many interrupt vectors it has
  /// @param configuration CC as it is now
  QueueCommands(int vectors, Supplier<ControllerConfiguration> configuration) {
    this.vectors = vectors;
    this.configuration = configuration;
  }

  Status createCompletionQueue(Run run, SubmissionEntry entry) {
    int id = entry.commandDword(10) & 0xffff;
    int entries = (entry.commandDword(10) >>> 16) + 1;
    int flags = entry.commandDword(11);
    int vector = flags >>> 16;
    boolean identifierFree = run.queues().completion(id) == null;
    if (id == 0 || id > run.features().completionQueues() || !identifierFree) {
      return Status.INVALID_QUEUE_IDENTIFIER;
    }
    Status common = check(run, entry, entries, flags);
    if (common != Status.SUCCESS) {
      return common;
    }
    if (configuration.get().completionEntryShift() != CompletionEntry.SHIFT) {
      return Status.INVALID_FIELD;
    }
    boolean interrupts = (flags & INTERRUPTS_ENABLED) != 0;
    if (vector >= vectors) {
      return Status.INVALID_INTERRUPT_VECTOR;
    }
    CompletionQueue queue = new CompletionQueue(id, entry.prp1(), entries, vector, interrupts);
    DoorbellBuffers doorbells = run.doorbellBuffers();
    if (doorbells != null) {
      ShadowDoorbell shadow = doorbells.ofHead(run.dma(), id, 0);
      if (shadow == null) {
        return Status.DATA_TRANSFER_ERROR;
      }
      queue.shadow(shadow);
    }
    run.queues().put(queue);
    return Status.SUCCESS;
  }

  Status createSubmissionQueue(Run run, SubmissionEntry entry) {
    int id = entry.commandDword(10) & 0xffff;
    int entries = (entry.commandDword(10) >>> 16) + 1;
    int flags = entry.commandDword(11);
    boolean identifierFree = run.queues().submission(id) == null;
    if (id == 0 || id > run.features().submissionQueues() || !identifierFree) {
      return Status.INVALID_QUEUE_IDENTIFIER;
    }
    CompletionQueue completions = flags >>> 16 == 0 ? null : run.queues().completion(flags >>> 16);
    if (completions == null) {
      return Status.COMPLETION_QUEUE_INVALID;
    }
    Status common = check(run, entry, entries, flags);
    if (common != Status.SUCCESS) {
      return common;
    }
    if (configuration.get().submissionEntryShift() != SubmissionEntry.SHIFT) {
      return Status.INVALID_FIELD;
    }
    SubmissionQueue queue = new SubmissionQueue(id, entry.prp1(), entries, completions);
    DoorbellBuffers doorbells = run.doorbellBuffers();
    if (doorbells != null) {
      ShadowDoorbell shadow = doorbells.ofTail(run.dma(), id, 0);
      if (shadow == null) {
        return Status.DATA_TRANSFER_ERROR;
      }
      queue.shadow(shadow);
    }
    run.queues().put(queue);
    return Status.SUCCESS;
  }

  Status deleteCompletionQueue(Run run, SubmissionEntry entry) {
    int id = entry.commandDword(10) & 0xffff;
    CompletionQueue queue = id == 0 ? null : run.queues().completion(id);
    if (queue == null) {
      return Status.INVALID_QUEUE_IDENTIFIER;
    }
    if (!queue.users().isEmpty()) {
      return Status.INVALID_QUEUE_DELETION;
    }
    run.queues().remove(queue);
    return Status.SUCCESS;
  }

  /// Stops fetches from the queue that the command names. The command itself is complete once the
  /// queue is [idle][SubmissionQueue#idle()]: commands that were fetched are completed before,
  /// those that were not are dropped with the queue.
  ///
  /// @return the queue, now to be watched; null if there is none
  @Nullable SubmissionQueue beginDeletion(Run run, SubmissionEntry entry) {
    int id = entry.commandDword(10) & 0xffff;
    SubmissionQueue queue = id == 0 ? null : run.queues().submission(id);
    if (queue != null) {
      queue.delete();
    }
    return queue;
  }

  /// What a queue of either kind must be: 2 entries or more, contiguous since CAP.CQR is set, at
  /// the start of a page.
  private static Status check(Run run, SubmissionEntry entry, int entries, int flags) {
    if (entries < 2 || entries > ControllerCapabilities.MAX_QUEUE_ENTRIES) {
      return Status.INVALID_QUEUE_SIZE;
    }
    if ((flags & CONTIGUOUS) == 0) {
      return Status.INVALID_FIELD;
    }
    return (entry.prp1() & (run.pageSize() - 1)) == 0 ? Status.SUCCESS : Status.PRP_OFFSET_INVALID;
  }
}
