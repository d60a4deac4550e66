package dev.sluice.vfiouser.server;

import dev.sluice.vfiouser.transport.Channel;

/// The end of something that the device has to do before a command can be answered. [#run()] is the
/// continuation that the device's side calls, once, on any thread.
final class Completion implements Runnable {
  private final Channel channel;
  private final Thread server;
  private volatile boolean done;

  /// @param server the thread that looks at [#isDone()] and sleeps in `channel`
  Completion(Channel channel, Thread server) {
    this.channel = channel;
    this.server = server;
  }

  boolean isDone() {
    return done;
  }

  @Override
  public void run() {
    done = true;
    if (Thread.currentThread() != server) {
      channel.wake();
    }
  }
}
