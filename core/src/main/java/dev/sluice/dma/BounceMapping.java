package dev.sluice.dma;

import dev.sluice.memory.Access;
import dev.sluice.memory.HostBuffer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.BitSet;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A [MappedMemory] that is a copy in a buffer of this process.
///
/// Each use counts itself in and out under the lock and touches the bytes without it; the last one
/// out of a mapping that has ended gives the buffer back. So no use meets the bytes of a later
/// mapping, and nobody waits for anybody.
final class BounceMapping implements MappedMemory {
  private enum State {
    LIVE,
    REVOKED,
    CLOSED
  }

  private final Bounces bounces;
  private final long iova;
  private final long length;
  private final Access access;
  private final BounceRoom room;
  private final HostBuffer buffer;

  // Guarded by this, all of them.
  private final BitSet written = new BitSet();
  private State state = State.LIVE;
  private int uses;

  /// Whether the owner has ended it, or is about to.
  private boolean ended;

  /// Whether [#refusal] is known.
  private boolean settled;

  private @Nullable TargetAbort refusal;

  /// @param room taken; its buffer has the guest's bytes if the mapping is for reading
  BounceMapping(Bounces bounces, long iova, long length, Access access, BounceRoom room) {
    this.bounces = bounces;
    this.iova = iova;
    this.length = length;
    this.access = access;
    this.room = room;
    buffer = room.buffer();
  }

  @Override
  public long iova() {
    return iova;
  }

  @Override
  public long length() {
    return length;
  }

  @Override
  public Access access() {
    return access;
  }

  @Override
  public synchronized boolean isLive() {
    return state == State.LIVE;
  }

  @Override
  public void read(long offset, MemorySegment into, long intoOffset, long bytes) {
    checkUse(Access.READ, offset, bytes);
    Objects.checkFromIndexSize(intoOffset, bytes, into.byteSize());
    enter();
    try {
      MemorySegment.copy(buffer.bytes(), offset, into, intoOffset, bytes);
    } finally {
      leave();
    }
  }

  @Override
  public void write(long offset, MemorySegment from, long fromOffset, long bytes) {
    checkUse(Access.WRITE, offset, bytes);
    Objects.checkFromIndexSize(fromOffset, bytes, from.byteSize());
    enter();
    try {
      MemorySegment.copy(from, fromOffset, buffer.bytes(), offset, bytes);
      markWritten(offset, bytes);
    } finally {
      leave();
    }
  }

  @Override
  public void fill(long offset, long bytes, byte value) {
    checkUse(Access.WRITE, offset, bytes);
    enter();
    try {
      buffer.bytes().asSlice(offset, bytes).fill(value);
      markWritten(offset, bytes);
    } finally {
      leave();
    }
  }

  @Override
  public long load(long offset, int size, ByteOrder order) {
    checkUse(Access.READ, offset, size);
    enter();
    try {
      return buffer.load(offset, size, order);
    } finally {
      leave();
    }
  }

  @Override
  public void store(long offset, int size, ByteOrder order, long value) {
    checkUse(Access.WRITE, offset, size);
    enter();
    try {
      buffer.store(offset, size, order, value);
      markWritten(offset, size);
    } finally {
      leave();
    }
  }

  @Override
  public int readFrom(FileChannel file, long position, long offset, int bytes) throws IOException {
    checkUse(Access.WRITE, offset, bytes);
    enter();
    try {
      int moved = file.read(part(offset, bytes), position);
      markWritten(offset, Math.max(moved, 0));
      return moved;
    } finally {
      leave();
    }
  }

  @Override
  public int writeTo(FileChannel file, long position, long offset, int bytes) throws IOException {
    checkUse(Access.READ, offset, bytes);
    enter();
    try {
      return file.write(part(offset, bytes), position);
    } finally {
      leave();
    }
  }

  private ByteBuffer part(long offset, int bytes) {
    return buffer.bytes().asSlice(offset, bytes).asByteBuffer();
  }

  private void checkUse(Access use, long offset, long bytes) {
    if ((use.rights() & ~access.rights()) != 0) {
      throw new IllegalArgumentException(use + " of a mapping for " + access);
    }
    Objects.checkFromIndexSize(offset, bytes, length);
  }

  private synchronized void enter() {
    checkLive();
    uses++;
  }

  private void checkLive() {
    switch (state) {
      case LIVE -> {}
      case REVOKED -> throw new MappingRevokedException(this);
      case CLOSED -> throw new MappingClosedException(this);
    }
  }

  /// After the bytes were written, so that none is ever written back that was not.
  private synchronized void markWritten(long offset, long bytes) {
    checkLive();
    written.set((int) offset, (int) (offset + bytes));
  }

  private void leave() {
    boolean last;
    synchronized (this) {
      uses--;
      last = uses == 0 && state != State.LIVE;
    }
    if (last) {
      room.giveBack();
    }
  }

  /// Takes it away, at the end of the context.
  void revoke() {
    boolean unused;
    synchronized (this) {
      if (state != State.LIVE) {
        return;
      }
      state = State.REVOKED;
      unused = uses == 0;
    }
    if (unused) {
      room.giveBack();
    }
  }

  @Override
  public @Nullable TargetAbort unmap() {
    end();
    synchronized (this) {
      if (!settled) {
        throw new IllegalStateException("another thread is just ending it: " + this);
      }
      return refusal;
    }
  }

  @Override
  public void close() {
    if (end()) {
      TargetAbort refused = unmap();
      if (refused != null) {
        bounces.tellRefused(refused);
      }
    }
  }

  /// @return whether it was this call that ended it
  private boolean end() {
    synchronized (this) {
      if (ended) {
        return false;
      }
      ended = true;
      if (state == State.REVOKED) {
        settle(written.isEmpty() ? null : bounces.tooLate(iova + written.nextSetBit(0)));
        return true;
      }
      state = State.CLOSED;
      uses++;
    }
    try {
      // Nobody changes what was written any more: see markWritten.
      settle(writeBack());
    } finally {
      bounces.ended(this);
      leave();
    }
    return true;
  }

  private synchronized void settle(@Nullable TargetAbort result) {
    refusal = result;
    settled = true;
  }

  private @Nullable TargetAbort writeBack() {
    long done = 0;
    for (int from = written.nextSetBit(0); from >= 0; ) {
      int to = written.nextClearBit(from);
      TargetAbort refused = bounces.writeBack(iova + from, buffer.bytes(), from, to - from);
      if (refused != null) {
        return refused.after(done);
      }
      done += to - from;
      from = written.nextSetBit(to);
    }
    return null;
  }

  @Override
  public String toString() {
    return "bounce mapping of %d bytes at 0x%x by %s for %s"
        .formatted(length, iova, bounces.requester(), access);
  }
}
