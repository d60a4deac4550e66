package dev.sluice.pci.nvme;

/// Waiting for the end of threads that are never interrupted.
final class Threads {
  private Threads() {}

  /// Waits until `thread` has ended. An interrupt is kept for the caller and does not cut the wait
  /// short: what the thread uses is going to be closed.
  static void join(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
