package dev.sluice.testkit.soak;

/// What one device's thread has done. Written by that thread alone.
final class DeviceCounts {
  private long accesses;
  private long refused;
  private long mappings;
  private long handedOver;
  private long revoked;
  private long throughFiles;
  private long increments;

  void accessed() {
    accesses++;
  }

  void refused() {
    refused++;
  }

  void mapped() {
    mappings++;
  }

  void handedOver() {
    handedOver++;
  }

  void revoked() {
    revoked++;
  }

  void throughFile() {
    throughFiles++;
  }

  void incremented() {
    increments++;
  }

  long increments() {
    return increments;
  }

  long accesses() {
    return accesses;
  }

  /// Adds what another thread has done, which has ended.
  void add(DeviceCounts other) {
    accesses += other.accesses;
    refused += other.refused;
    mappings += other.mappings;
    handedOver += other.handedOver;
    revoked += other.revoked;
    throughFiles += other.throughFiles;
    increments += other.increments;
  }

  SoakReport report(long remaps, long withdrawals, long invalidations) {
    return new SoakReport(
        accesses,
        refused,
        mappings,
        handedOver,
        revoked,
        throughFiles,
        increments,
        remaps,
        withdrawals,
        invalidations);
  }
}
