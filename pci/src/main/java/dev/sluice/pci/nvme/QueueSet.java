package dev.sluice.pci.nvme;

import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// The queues of one run of the controller, by identifier; 0 is the admin queue's. Changed by the
/// management thread, read by all.
final class QueueSet {
  private final AtomicReferenceArray<@Nullable SubmissionQueue> submission;
  private final AtomicReferenceArray<@Nullable CompletionQueue> completion;
  private final SubmissionQueue admin;

  /// A set with only the admin queues.
  ///
  /// @param maxIoQueues the highest identifier of an I/O queue
  QueueSet(int maxIoQueues, SubmissionQueue admin) {
    submission = new AtomicReferenceArray<>(maxIoQueues + 1);
    completion = new AtomicReferenceArray<>(maxIoQueues + 1);
    this.admin = admin;
    put(admin.completions());
    put(admin);
  }

  SubmissionQueue admin() {
    return admin;
  }

  /// The highest identifier that a queue can have.
  int highest() {
    return submission.length() - 1;
  }

  @Nullable SubmissionQueue submission(int id) {
    return id < 0 || id >= submission.length() ? null : submission.get(id);
  }

  @Nullable CompletionQueue completion(int id) {
    return id < 0 || id >= completion.length() ? null : completion.get(id);
  }

  void put(SubmissionQueue queue) {
    queue.completions().users().add(queue);
    submission.set(queue.id(), queue);
  }

  void put(CompletionQueue queue) {
    completion.set(queue.id(), queue);
  }

  void remove(SubmissionQueue queue) {
    queue.completions().users().remove(queue);
    submission.set(queue.id(), null);
  }

  void remove(CompletionQueue queue) {
    completion.set(queue.id(), null);
  }

  /// Whether any I/O queue exists.
  boolean hasIoQueues() {
    for (int id = 1; id <= highest(); id++) {
      if (submission.get(id) != null || completion.get(id) != null) {
        return true;
      }
    }
    return false;
  }
}
