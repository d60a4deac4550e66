package dev.sluice.pci.nvme;

import java.nio.charset.StandardCharsets;
import java.util.UUID;

/// How an [NvmeController] is built.
///
/// @param serial the serial number, 1 to 20 printable ASCII characters; the namespace's identifiers
///   are derived from it, so that a guest knows its disk again
/// @param maxIoQueues the most I/O submission queues, and the most I/O completion queues, that a
///   guest may ask for: 1 to 1024
/// @param workers threads that execute I/O commands, 1 to 64; each may wait for the host's disk
public record NvmeConfig(String serial, int maxIoQueues, int workers) {
  /// As many queues as Linux asks for on a guest of 64 processors.
  public static final int DEFAULT_IO_QUEUES = 64;

  private static final int MOST_IO_QUEUES = 1024;
  private static final int MOST_WORKERS = 64;
  private static final int SERIAL_LENGTH = 20;

  /// Checks the ranges.
  ///
  /// @throws IllegalArgumentException if a value is out of its range
  public NvmeConfig {
    if (serial.isEmpty()
        || serial.length() > SERIAL_LENGTH
        || !serial.chars().allMatch(c -> c >= ' ' && c <= '~')) {
      throw new IllegalArgumentException(
          "serial number is not 1 to 20 printable characters: " + serial);
    }
    if (maxIoQueues < 1 || maxIoQueues > MOST_IO_QUEUES) {
      throw new IllegalArgumentException(
          "I/O queues are not in 1.." + MOST_IO_QUEUES + ": " + maxIoQueues);
    }
    if (workers < 1 || workers > MOST_WORKERS) {
      throw new IllegalArgumentException("workers are not in 1.." + MOST_WORKERS + ": " + workers);
    }
  }

  /// The usual numbers: 64 queues, and a worker for each processor of the host, at least 2 and at
  /// most 8.
  public static NvmeConfig of(String serial) {
    int workers = Math.clamp(Runtime.getRuntime().availableProcessors(), 2, 8);
    return new NvmeConfig(serial, DEFAULT_IO_QUEUES, workers);
  }

  /// One message interrupt vector for each I/O completion queue and one for the admin queue.
  int vectors() {
    return maxIoQueues + 1;
  }

  /// The namespace's UUID.
  UUID uuid() {
    return UUID.nameUUIDFromBytes(
        ("sluice nvme namespace " + serial).getBytes(StandardCharsets.US_ASCII));
  }
}
