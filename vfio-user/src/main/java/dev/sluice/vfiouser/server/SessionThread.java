package dev.sluice.vfiouser.server;

/// A thread that serves a client.
///
/// Its type is what it is for: the answer to a message about memory cannot be waited for on any
/// such thread. The client may be a vCPU that waits for this thread's reply with the VMM's global
/// lock held, and then no other client of the same VMM is answered either.
final class SessionThread extends Thread {
  SessionThread(String name, Runnable body) {
    super(body, name);
    setDaemon(true);
  }

  /// Whether the calling thread serves a client.
  static boolean isCurrent() {
    return Thread.currentThread() instanceof SessionThread;
  }
}
