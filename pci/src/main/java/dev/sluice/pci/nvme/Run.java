package dev.sluice.pci.nvme;

import dev.sluice.dma.DmaContext;
import dev.sluice.pci.FunctionHost;
import dev.sluice.pci.Interrupts;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// One life of the controller, from CC.EN = 1 to the next reset or shutdown: its queues, feature
/// values, held events.
///
/// Whatever touches guest memory for the run does so between [#enter()] and [#leave()]. Once the
/// run has [ended][#end()] nothing enters, and when the last has left it is [drained][#drained()]:
/// then, and not before, CSTS.RDY may become 0.
final class Run {
  private static final int ENDED = 1 << 31;

  private final DmaContext dma;
  private final Interrupts interrupts;
  private final int pageShift;
  private final QueueSet queues;
  private final Features features;
  private final AsyncEvents events = new AsyncEvents();
  private final Runnable changed;
  private @Nullable Deletion deletion;
  private @Nullable DoorbellBuffers doorbellBuffers;

  /// [#ENDED], and the number of those inside.
  private final AtomicInteger state = new AtomicInteger();

  /// A run that nobody has entered.
  ///
  /// @param pageShift log2 of the bytes of a memory page, from CC.MPS
  /// @param changed runs when the run is drained, and when a queue that is being deleted may be
  ///   idle
  Run(FunctionHost host, int pageShift, QueueSet queues, Features features, Runnable changed) {
    dma = host.dma();
    interrupts = host.interrupts();
    this.pageShift = pageShift;
    this.queues = queues;
    this.features = features;
    this.changed = changed;
  }

  DmaContext dma() {
    return dma;
  }

  int pageSize() {
    return 1 << pageShift;
  }

  QueueSet queues() {
    return queues;
  }

  Features features() {
    return features;
  }

  AsyncEvents events() {
    return events;
  }

  /// Where I/O queues have their doorbells, if not in the registers. Only for the management
  /// thread.
  @Nullable DoorbellBuffers doorbellBuffers() {
    return doorbellBuffers;
  }

  void doorbellBuffers(DoorbellBuffers configured) {
    doorbellBuffers = configured;
  }

  /// A Delete I/O Submission Queue command that is complete when the queue is idle.
  ///
  /// @param queue no longer fetched from
  /// @param commandId of the command
  record Deletion(SubmissionQueue queue, int commandId) {}

  /// The deletion that is under way. Only for the management thread.
  @Nullable Deletion deletion() {
    return deletion;
  }

  void deletion(@Nullable Deletion underWay) {
    deletion = underWay;
  }

  /// Begins work for the run.
  ///
  /// @return false if it has ended: then nothing may be done for it
  boolean enter() {
    for (; ; ) {
      int now = state.get();
      if (now < 0) {
        return false;
      }
      if (state.compareAndSet(now, now + 1)) {
        return true;
      }
    }
  }

  /// Ends work for the run.
  void leave() {
    if (state.decrementAndGet() == ENDED) {
      changed.run();
    }
  }

  /// Lets nothing enter from now on.
  void end() {
    state.getAndUpdate(now -> now | ENDED);
  }

  boolean ended() {
    return state.get() < 0;
  }

  /// Whether it has ended and all have left.
  boolean drained() {
    return state.get() == ENDED;
  }

  /// Posts a result, unless the run has ended. From inside.
  ///
  /// @return false if guest memory refused it
  boolean post(SubmissionQueue from, int commandId, Status status, int result) {
    return ended() || from.completions().post(dma, from, commandId, status, result) == null;
  }

  /// Tells the guest of results in `completions`, unless the run has ended. From inside.
  void interrupt(CompletionQueue completions) {
    if (!ended() && completions.interruptsEnabled()) {
      interrupts.signal(completions.vector());
    }
  }

  /// An event for the guest, or a change that the management thread has to know of.
  void changed() {
    changed.run();
  }

  /// Gives the right to fetch from `queue` back for good.
  void giveBack(SubmissionQueue queue) {
    queue.giveBack();
    if (queue.deleted()) {
      changed.run();
    }
  }

  /// Ends the right to fetch from `queue`, if nobody has knocked meanwhile.
  ///
  /// @return false if it is kept
  boolean release(SubmissionQueue queue) {
    boolean released = queue.release();
    if (released && queue.deleted()) {
      changed.run();
    }
    return released;
  }

  /// A command of `from` has ended; whoever waits for the queue's deletion may want to know.
  void executed(SubmissionQueue from) {
    from.executed();
    if (from.deleted()) {
      changed.run();
    }
  }
}
