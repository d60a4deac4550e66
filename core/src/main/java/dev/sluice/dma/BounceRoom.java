package dev.sluice.dma;

import dev.sluice.memory.HostBuffer;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// Room for one bounce mapping, kept for its holder: what [DmaContext#whenRoom] gives, for
/// [DmaContext#mapWhole(long, long, dev.sluice.memory.Access, BounceRoom)].
///
/// A bounce mapping that is made in it takes it over. Until then it stays with the holder, who
/// closes it; closing it afterwards does nothing.
public final class BounceRoom implements AutoCloseable {
  private enum State {
    HELD,
    TAKEN,
    GIVEN_BACK
  }

  private final BounceBudget budget;
  private final long size;
  private final AtomicReference<State> state = new AtomicReference<>(State.HELD);
  private @Nullable HostBuffer buffer;

  /// @param size bytes, a power of two
  /// @param buffer of that size; null when it is still to be allocated
  BounceRoom(BounceBudget budget, long size, @Nullable HostBuffer buffer) {
    this.budget = budget;
    this.size = size;
    this.buffer = buffer;
  }

  /// The most bytes of a mapping that is made in it.
  public long size() {
    return size;
  }

  boolean isOf(BounceBudget other) {
    return budget == other;
  }

  /// Takes it over from the holder.
  void take() {
    if (!state.compareAndSet(State.HELD, State.TAKEN)) {
      throw new IllegalStateException("the room has been used or closed");
    }
  }

  /// Undoes [#take()].
  void leaveToHolder() {
    state.set(State.HELD);
  }

  /// By whoever has taken it: the memory, with whatever it had before.
  HostBuffer buffer() {
    HostBuffer made = buffer;
    if (made == null) {
      made = HostBuffer.allocate(size);
      buffer = made;
    }
    return made;
  }

  /// By whoever has taken it, once, when nobody uses the memory any more.
  void giveBack() {
    state.set(State.GIVEN_BACK);
    budget.giveBack(size, buffer);
  }

  /// Gives the room back, unless a mapping has it.
  @Override
  public void close() {
    if (state.compareAndSet(State.HELD, State.GIVEN_BACK)) {
      budget.giveBack(size, buffer);
    }
  }
}
