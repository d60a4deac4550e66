package dev.sluice.iommu;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// A clock that a test moves by hand; what falls due runs on the thread that moves it.
public final class ManualClock implements DeadlineClock {
  private record Timer(long due, Runnable task) {}

  private final List<Timer> timers = new ArrayList<>();
  private long now = Long.MAX_VALUE - 1000; // overflows soon, as a monotonic clock may

  @Override
  public synchronized long nanoTime() {
    return now;
  }

  @Override
  public synchronized Runnable schedule(Duration delay, Runnable task) {
    Timer timer = new Timer(now + delay.toNanos(), task);
    timers.add(timer);
    return () -> cancel(timer);
  }

  private synchronized void cancel(Timer timer) {
    timers.remove(timer);
  }

  /// Lets time pass and runs what falls due.
  public void advance(Duration by) {
    List<Timer> due = new ArrayList<>();
    synchronized (this) {
      now += by.toNanos();
      for (Timer timer : timers) {
        if (timer.due() - now <= 0) {
          due.add(timer);
        }
      }
      timers.removeAll(due);
    }
    due.forEach(timer -> timer.task().run());
  }

  /// Deadlines that have neither passed nor been taken back.
  public synchronized int pending() {
    return timers.size();
  }
}
