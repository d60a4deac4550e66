package dev.sluice.dma;

import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Makes the whole mappings of a context, and ends its bounce mappings with it.
final class Bounces {
  private static final Logger LOG = System.getLogger(Bounces.class.getName());

  private final DmaContext context;
  private final BounceBudget budget = new BounceBudget(DmaContext.DEFAULT_BOUNCE_BUDGET);
  private final AtomicBoolean logged = new AtomicBoolean();
  private volatile Consumer<? super TargetAbort> onRefused = this::log;

  // Guarded by this. Each has room of the budget, so there are not many.
  private final Set<BounceMapping> open = new HashSet<>();
  private boolean closed;

  Bounces(DmaContext context) {
    this.context = context;
  }

  BounceBudget budget() {
    return budget;
  }

  RequesterId requester() {
    return context.requester();
  }

  void onRefused(Consumer<? super TargetAbort> handler) {
    onRefused = handler;
  }

  /// @param given room to use; null: what the budget has
  WholeResult map(long iova, long length, Access access, @Nullable BounceRoom given) {
    if (length <= 0) {
      throw new IllegalArgumentException("a mapping has 1 byte or more, not " + length);
    }
    if (given != null && (!given.isOf(budget) || length > given.size())) {
      throw new IllegalArgumentException(
          "%d bytes in room for %d, or of another context".formatted(length, given.size()));
    }
    if (length > DmaContext.MAX_MAPPING) {
      return new NoRoom(length, budget.most());
    }
    switch (context.map(iova, length, access)) {
      case Mapping mapping when mapping.length() == length -> {
        return mapping;
      }
      case Mapping part -> part.close();
      case TargetAbort abort when abort.reason() != AbortReason.WOULD_BLOCK -> {
        return abort;
      }
      case TargetAbort _ -> {}
    }
    BounceRoom room = given == null ? budget.reserve(length) : given;
    if (room == null) {
      return new NoRoom(length, budget.most());
    }
    room.take();
    boolean used = false;
    try {
      WholeResult result = bounce(iova, length, access, room);
      used = result instanceof BounceMapping;
      return result;
    } finally {
      if (!used) {
        room.leaveToHolder();
        if (given == null) {
          room.close();
        }
      }
    }
  }

  private WholeResult bounce(long iova, long length, Access access, BounceRoom room) {
    // What the write-back would meet now, the device is told now.
    TargetAbort refused = access.writes() ? context.claim(iova, length, access) : null;
    if (refused == null && access.reads()) {
      refused = context.read(iova, room.buffer().bytes(), 0, length);
    }
    if (refused != null) {
      return refused;
    }
    BounceMapping mapping = new BounceMapping(this, iova, length, access, room);
    synchronized (this) {
      if (!closed) {
        open.add(mapping);
        return mapping;
      }
    }
    return context.noBusMaster(iova, access);
  }

  // --- for its mappings

  @Nullable TargetAbort writeBack(long iova, MemorySegment from, long offset, long length) {
    return context.writeBack(iova, from, offset, length);
  }

  /// What becomes of bytes whose context has ended.
  TargetAbort tooLate(long iova) {
    return context.noBusMaster(iova, Access.WRITE);
  }

  void tellRefused(TargetAbort refused) {
    onRefused.accept(refused);
  }

  synchronized void ended(BounceMapping mapping) {
    open.remove(mapping);
  }

  private void log(TargetAbort refused) {
    // A guest can bring it about as often as it likes.
    Level level = logged.getAndSet(true) ? Level.DEBUG : Level.WARNING;
    LOG.log(level, "a bounce mapping was closed, and not all of it written back: {0}", refused);
  }

  /// Takes the bounce mappings away, and refuses later ones.
  void close() {
    List<BounceMapping> last;
    synchronized (this) {
      closed = true;
      last = List.copyOf(open);
      open.clear();
    }
    budget.close();
    last.forEach(BounceMapping::revoke);
  }
}
