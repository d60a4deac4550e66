package dev.sluice.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Turns Ctrl-C, and any other polite request to end the process, into an interrupt of the thread
/// that works, and keeps the process until that thread has cleaned up and said so.
///
/// The JVM ends by itself with 128 and the signal's number, 130 for Ctrl-C, once its shutdown hooks
/// have returned; this is one of them.
final class Interruption implements AutoCloseable {
  /// Exit status after Ctrl-C, as a shell reports it.
  static final int STATUS = 130;

  /// Longest time for cleaning up. What is left then, other hooks and the kernel end.
  private static final long PATIENCE_SECONDS = 10;

  private final Thread worker = Thread.currentThread();
  private final CountDownLatch cleaned = new CountDownLatch(1);
  private final Thread hook = new Thread(this::interrupt, "sluice-interruption");

  private Interruption() {}

  /// The calling thread works from now on until [#close].
  static Interruption ofThisThread() {
    Interruption interruption = new Interruption();
    Runtime.getRuntime().addShutdownHook(interruption.hook);
    return interruption;
  }

  /// Whether the process is ending. Certain: the JVM refuses new hooks from that moment on, before
  /// any hook has run.
  static boolean isUnderWay() {
    Thread probe = new Thread(() -> {}, "sluice-probe");
    try {
      Runtime.getRuntime().addShutdownHook(probe);
      Runtime.getRuntime().removeShutdownHook(probe);
      return false;
    } catch (IllegalStateException _) {
      return true;
    }
  }

  /// The work is over, and its cleaning-up too.
  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException _) {
      // The process is ending, and the hook waits for what comes now.
    }
    cleaned.countDown();
  }

  private void interrupt() {
    worker.interrupt();
    try {
      var _ = cleaned.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
