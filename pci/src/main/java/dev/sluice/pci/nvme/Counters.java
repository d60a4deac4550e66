package dev.sluice.pci.nvme;

import java.util.concurrent.atomic.LongAdder;

/// The live numbers behind [NvmeStatistics] and the health log.
final class Counters {
  private final LongAdder reads = new LongAdder();
  private final LongAdder bytesRead = new LongAdder();
  private final LongAdder writes = new LongAdder();
  private final LongAdder bytesWritten = new LongAdder();
  private final LongAdder flushes = new LongAdder();
  private final LongAdder ioCommands = new LongAdder();
  private final LongAdder adminCommands = new LongAdder();
  private final LongAdder errors = new LongAdder();
  private final LongAdder mediaErrors = new LongAdder();
  private final LongAdder resets = new LongAdder();

  void read(long bytes) {
    reads.increment();
    bytesRead.add(bytes);
  }

  void written(long bytes) {
    writes.increment();
    bytesWritten.add(bytes);
  }

  void flushed() {
    flushes.increment();
  }

  void completed(boolean admin, Status status) {
    (admin ? adminCommands : ioCommands).increment();
    if (status != Status.SUCCESS) {
      errors.increment();
    }
    if (status == Status.WRITE_FAULT || status == Status.UNRECOVERED_READ_ERROR) {
      mediaErrors.increment();
    }
  }

  void reset() {
    resets.increment();
  }

  /// Commands that ended with a fault of the host's storage.
  long mediaErrors() {
    return mediaErrors.sum();
  }

  NvmeStatistics snapshot() {
    return new NvmeStatistics(
        reads.sum(),
        bytesRead.sum(),
        writes.sum(),
        bytesWritten.sum(),
        flushes.sum(),
        ioCommands.sum(),
        adminCommands.sum(),
        errors.sum(),
        resets.sum());
  }
}
