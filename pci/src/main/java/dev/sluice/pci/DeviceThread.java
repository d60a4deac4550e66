package dev.sluice.pci;

/// A thread of a device's own, for work that the thread that serves the guest must not wait for.
///
/// A platform thread, since file I/O would hold a virtual thread's carrier, and a daemon. Nobody
/// may interrupt it: an interrupt closes the file channel that a thread is just using.
public final class DeviceThread {
  private final Thread thread;

  /// A thread that does `work` once started.
  public DeviceThread(String name, Runnable work) {
    thread = Thread.ofPlatform().daemon().name(name).unstarted(work);
  }

  /// Starts it.
  public void start() {
    thread.start();
  }

  /// Waits until the work, if it was started, is done. An interrupt of the caller is kept and does
  /// not cut the wait short, because what the thread uses is about to be closed.
  public void join() {
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
