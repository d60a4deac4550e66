package dev.sluice.pci.nvme;

import java.util.ArrayList;
import java.util.List;

/// Commands of one worker that have ended and whose results are posted, but of which the guest was
/// not told: several results, one interrupt. A command counts as executing until then, so that a
/// queue is not deleted before the last interrupt for it.
///
/// Filled by the worker; told by it, or by another thread while the worker is held up in a command.
final class Results {
  private final List<SubmissionQueue> untold = new ArrayList<>();

  /// Adds an ended command of `queue`.
  ///
  /// @return how many there are now
  synchronized int add(SubmissionQueue queue) {
    untold.add(queue);
    return untold.size();
  }

  /// Interrupts the guest, once for each completion queue, and ends the commands. From inside
  /// `run`, to which all of them belong.
  synchronized void tell(Run run) {
    if (untold.isEmpty()) {
      return;
    }
    try {
      for (int i = 0; i < untold.size(); i++) {
        CompletionQueue completions = untold.get(i).completions();
        if (isFirst(completions, i)) {
          run.interrupt(completions);
        }
      }
    } finally {
      end(run);
    }
  }

  /// Ends the commands whether the guest was told or not: the run is ending, or has failed.
  synchronized void end(Run run) {
    for (int i = 0; i < untold.size(); i++) {
      run.executed(untold.get(i));
    }
    untold.clear();
  }

  private boolean isFirst(CompletionQueue completions, int index) {
    for (int i = 0; i < index; i++) {
      if (untold.get(i).completions() == completions) {
        return false;
      }
    }
    return true;
  }
}
