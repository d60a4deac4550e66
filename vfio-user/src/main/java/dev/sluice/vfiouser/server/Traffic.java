package dev.sluice.vfiouser.server;

import java.util.concurrent.atomic.LongAdder;

/// The live numbers behind [ServerStatistics]. Each counted thing costs a system call, beside which
/// an addition is nothing.
final class Traffic {
  private final LongAdder barReads = new LongAdder();
  private final LongAdder barWrites = new LongAdder();
  private final LongAdder configAccesses = new LongAdder();
  private final LongAdder interrupts = new LongAdder();

  /// A client has read `region`.
  void read(int region) {
    (region == RegionIndex.CONFIG ? configAccesses : barReads).increment();
  }

  /// A client has written to `region`.
  void written(int region) {
    (region == RegionIndex.CONFIG ? configAccesses : barWrites).increment();
  }

  /// The function has sent an interrupt message.
  void interrupted() {
    interrupts.increment();
  }

  ServerStatistics snapshot() {
    return new ServerStatistics(
        barReads.sum(), barWrites.sum(), configAccesses.sum(), interrupts.sum());
  }
}
