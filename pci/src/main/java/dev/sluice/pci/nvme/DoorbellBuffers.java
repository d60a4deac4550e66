package dev.sluice.pci.nvme;

import dev.sluice.dma.DmaContext;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The shadow doorbell and EventIdx buffers of a Doorbell Buffer Config command (NVMe 1.4, 5.7),
/// both laid out as the doorbell registers are:
///
/// ```
///  8 id + 0h | tail of submission queue id |
///       + 4h | head of completion queue id |
/// ```
///
/// The admin queue's entries are not used: its doorbells are registers as before, because guests
/// (Linux among them) keep no shadow of them.
///
/// @param shadows I/O virtual address of the shadow doorbells, a page's
/// @param eventIndices I/O virtual address of the EventIdx values, a page's
record DoorbellBuffers(long shadows, long eventIndices) {
  private static final int STRIDE = 2 * Integer.BYTES;

  /// Executes Doorbell Buffer Config: from now on the I/O queues, those that exist and those to
  /// come, have their doorbells in these buffers. Nothing changes unless all of them can be
  /// written: a guest whose command failed goes on with the registers.
  ///
  /// ```
  ///  PRP1: address of the shadow doorbell buffer      PRP2: address of the EventIdx buffer
  /// ```
  static Status configure(Run run, SubmissionEntry entry) {
    if (((entry.prp1() | entry.prp2()) & (run.pageSize() - 1)) != 0) {
      return Status.INVALID_FIELD;
    }
    DoorbellBuffers buffers = new DoorbellBuffers(entry.prp1(), entry.prp2());
    QueueSet queues = run.queues();
    List<Runnable> moves = new ArrayList<>();
    for (int id = 1; id <= queues.highest(); id++) {
      CompletionQueue completion = queues.completion(id);
      if (completion != null) {
        ShadowDoorbell shadow = buffers.ofHead(run.dma(), id, completion.head());
        if (shadow == null) {
          return Status.DATA_TRANSFER_ERROR;
        }
        moves.add(() -> completion.shadow(shadow));
      }
      SubmissionQueue submission = queues.submission(id);
      if (submission != null) {
        ShadowDoorbell shadow = buffers.ofTail(run.dma(), id, submission.tail());
        if (shadow == null) {
          return Status.DATA_TRANSFER_ERROR;
        }
        moves.add(() -> submission.shadow(shadow));
      }
    }
    moves.forEach(Runnable::run);
    run.doorbellBuffers(buffers);
    return Status.SUCCESS;
  }

  /// The tail doorbell of a submission queue, after its values were written: the guest cannot use
  /// it yet.
  ///
  /// @return null if guest memory refused them
  @Nullable ShadowDoorbell ofTail(DmaContext dma, int id, int tail) {
    return initialised(dma, (long) id * STRIDE, tail);
  }

  /// The head doorbell of a completion queue, as [#ofTail].
  @Nullable ShadowDoorbell ofHead(DmaContext dma, int id, int head) {
    return initialised(dma, (long) id * STRIDE + Integer.BYTES, head);
  }

  private @Nullable ShadowDoorbell initialised(DmaContext dma, long offset, int position) {
    ShadowDoorbell shadow = new ShadowDoorbell(shadows + offset, eventIndices + offset);
    return shadow.initialise(dma, position) == null ? shadow : null;
  }
}
