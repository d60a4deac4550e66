package dev.sluice.models.dart.apple;

import dev.sluice.memory.Access;
import dev.sluice.models.registers.ModelLock;
import java.util.concurrent.atomic.AtomicInteger;

/// Records refused accesses and drives the interrupt line.
///
/// The error register holds one. The first stays until software writes its flag back; those that
/// come meanwhile are lost and counted.
final class ErrorReporting {
  private final ModelLock lock;
  private final AppleDartCounters counters;
  private final InterruptLine line;
  private final AtomicInteger due = new AtomicInteger();

  /// What the line should be; written with the lock held.
  private volatile boolean asserted;

  /// What it was told. Only who delivers touches it.
  private boolean told;

  ErrorReporting(ModelLock lock, AppleDartCounters counters, InterruptLine line) {
    this.lock = lock;
    this.counters = counters;
    this.line = line;
  }

  /// An access was refused. With the lock held.
  void record(DartRegisters registers, int stream, long iova, Access access, int code) {
    if (registers.record(stream, iova, access, code)) {
      counters.errorRecorded();
    } else {
      counters.errorLost();
    }
    level(registers.wantsInterrupt());
  }

  /// The error register, or the mask of its interrupt, may have changed. With the lock held.
  void level(boolean wanted) {
    if (wanted != asserted) {
      asserted = wanted;
      lock.defer(this::deliver);
    }
  }

  /// One thread at a time tells the line; another that has news, or this one from within, leaves
  /// them to it.
  private void deliver() {
    if (due.getAndIncrement() != 0) {
      return;
    }
    int seen = 1;
    try {
      while (seen != 0) {
        boolean now = asserted;
        if (now != told) {
          told = now;
          line.set(now);
        }
        seen = due.addAndGet(-seen);
      }
    } finally {
      if (seen != 0) {
        // The line's defect: whoever has news next tells it.
        due.set(0);
      }
    }
  }
}
