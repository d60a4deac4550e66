package dev.sluice.pci.nvme;

/// The doorbells (NVMe 1.4, 3.1.24 and 3.1.25): one after the other, the tail of a submission queue
/// and the head of a completion queue for each identifier.
///
/// ```
///  31              16 15               0
/// +------------------+------------------+
/// |     reserved     |  tail or head    |
/// +------------------+------------------+
/// ```
///
/// Where the guest keeps a doorbell in [its own memory][ShadowDoorbell], a write only says that
/// there is something to see: the value may be older than the one in memory.
///
/// A write that cannot be meant is dropped and reported as an error event (NVMe 1.4, figure 147).
final class Doorbells {
  private final Lifecycle lifecycle;
  private final WorkerPool workers;
  private final ErrorLog errors;

  Doorbells(Lifecycle lifecycle, WorkerPool workers, ErrorLog errors) {
    this.lifecycle = lifecycle;
    this.workers = workers;
    this.errors = errors;
  }

  /// The guest's write to doorbell `index`. While the controller is not ready it has no effect.
  void ring(int index, int value) {
    Run run = lifecycle.run();
    if (run == null || run.ended()) {
      return;
    }
    int id = index / 2;
    int position = value & 0xffff;
    if (index % 2 == 0) {
      SubmissionQueue queue = run.queues().submission(id);
      if (queue == null) {
        refuse(run, id, AsyncEvents.INVALID_DOORBELL_REGISTER);
      } else if (queue.shadow() != null || queue.advanceTail(position)) {
        offer(run, queue);
      } else {
        refuse(run, id, AsyncEvents.INVALID_DOORBELL_VALUE);
      }
    } else {
      CompletionQueue queue = run.queues().completion(id);
      if (queue == null) {
        refuse(run, id, AsyncEvents.INVALID_DOORBELL_REGISTER);
      } else if (queue.hasShadow() || queue.advanceHead(position)) {
        // A queue that had no room for results has some now.
        queue.users().forEach(user -> offer(run, user));
      } else {
        refuse(run, id, AsyncEvents.INVALID_DOORBELL_VALUE);
      }
    }
  }

  private void offer(Run run, SubmissionQueue queue) {
    if (queue.id() == 0) {
      lifecycle.wake();
    } else {
      workers.offer(run, queue);
    }
  }

  private void refuse(Run run, int queueId, int information) {
    errors.doorbellRefused(queueId);
    run.events().raise(AsyncEvents.Type.ERROR, information);
    run.changed();
  }
}
