package dev.sluice.iommu;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/// Counts events that are as frequent as misses, from any thread and without losing one.
///
/// A thread has a cell of its own, as a rule, and adds to it without an atomic operation, which
/// would cost as much as half a walk. Where two threads meet in a cell, the one that came later
/// adds atomically until the other has died.
public final class EventCounter {
  private static final int CELLS = 16;
  private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(Cell[].class);
  private static final VarHandle COUNT;

  static {
    try {
      COUNT = MethodHandles.lookup().findVarHandle(Cell.class, "count", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /// Written by its owner only.
  private static final class Cell {
    final Thread owner;

    @SuppressWarnings("unused") // keeps the neighbour off the line
    private long before1, before2, before3, before4, before5, before6, before7;

    @SuppressWarnings("UnusedVariable") // by COUNT
    private long count;

    @SuppressWarnings("unused") // keeps the neighbour off the line
    private long after1, after2, after3, after4, after5, after6, after7;

    Cell(Thread owner) {
      this.owner = owner;
    }

    void increment() {
      COUNT.setOpaque(this, (long) COUNT.get(this) + 1);
    }

    long count() {
      return (long) COUNT.getOpaque(this);
    }
  }

  /// By thread; filled under this, read without.
  private final @Nullable Cell[] cells = new Cell[CELLS];

  /// What was counted outside the cells that are there now.
  private final LongAdder others = new LongAdder();

  /// A counter at 0.
  public EventCounter() {}

  /// Counts one.
  public void increment() {
    Thread thread = Thread.currentThread();
    Cell cell = (Cell) CELL.getAcquire(cells, (int) thread.threadId() & (CELLS - 1));
    if (cell != null && cell.owner == thread) {
      cell.increment();
    } else {
      incrementShared(thread);
    }
  }

  private void incrementShared(Thread thread) {
    int place = (int) thread.threadId() & (CELLS - 1);
    Cell taken = (Cell) CELL.getAcquire(cells, place);
    if (taken == null || !taken.owner.isAlive()) {
      synchronized (this) {
        if (cells[place] == taken) {
          if (taken != null) {
            others.add(taken.count());
          }
          CELL.setRelease(cells, place, new Cell(thread));
        }
      }
    }
    others.increment();
  }

  /// How many there were: exact when nobody is counting.
  public synchronized long sum() {
    long sum = others.sum();
    for (Cell cell : cells) {
      sum += cell == null ? 0 : cell.count();
    }
    return sum;
  }
}
