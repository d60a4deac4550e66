package dev.sluice.vfiouser.server;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import dev.sluice.host.Errno;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.MessagePort;
import dev.sluice.vfiouser.wire.Command;
import dev.sluice.vfiouser.wire.DmaAccess;
import dev.sluice.vfiouser.wire.Header;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The client's memory by message: DMA_READ and DMA_WRITE, for what it shares no descriptor of, and
/// for interrupt messages.
///
/// Devices call on threads of their own and wait; the session's thread brings the replies and never
/// waits for one. QEMU answers from its main loop, which a vCPU may hold while it waits for us: so
/// an access gives up after a time, and one to memory that the client takes back ends at once.
///
/// Two layouts of these messages are in use. Which one the client has is asked for once, by a write
/// of no bytes, before the first message that matters: a client that is never sent one is never
/// asked.
final class PeerMemory implements MessagePort {
  private static final Logger LOG = System.getLogger(PeerMemory.class.getName());

  private final GuestMemory memory;
  private final long limitNanos;

  /// Guards everything but [#sender], which is never called with it held; held for no longer than a
  /// copy takes.
  private final ReentrantLock lock = new ReentrantLock();

  private final Condition placeFreed = lock.newCondition();
  private final Condition layoutKnown = lock.newCondition();
  private final PeerRequestTable requests = new PeerRequestTable();
  private final Set<DeviceAccess> accesses = new HashSet<>();
  private final PostedWrites posts = new PostedWrites();
  private DmaAccess.@Nullable Layout layout;
  private boolean probing;
  private int transfer = Limits.PEER_TRANSFER;
  private boolean closed;

  private final PeerSender sender;

  /// @param memory where the regions are that this is the way to
  PeerMemory(GuestMemory memory, PeerSender sender, Duration limit) {
    this.memory = memory;
    this.sender = sender;
    this.limitNanos = limit.toNanos();
  }

  /// No message has more than `bytes` of data: the client has said so.
  void limitTransfer(long bytes) {
    lock.lock();
    try {
      transfer = (int) Math.min(bytes, Limits.PEER_TRANSFER);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public MemoryStatus read(long address, MemorySegment into, long offset, long length) {
    return access(Command.DMA_READ, address, into, offset, length);
  }

  @Override
  public MemoryStatus write(long address, MemorySegment from, long offset, long length) {
    return access(Command.DMA_WRITE, address, from, offset, length);
  }

  @Override
  public boolean mayWait() {
    return !SessionThread.isCurrent();
  }

  private MemoryStatus access(
      Command command, long address, MemorySegment bytes, long offset, long length) {
    if (!mayWait()) {
      return MemoryStatus.WOULD_BLOCK;
    }
    long deadline = System.nanoTime() + limitNanos;
    DeviceAccess access = new DeviceAccess(address, length);
    begin(access);
    try {
      // Only now that the access can be aborted: a region that was removed since the caller found
      // it stays untouched.
      if (memory.statusAt(address, Access.READ) == MemoryStatus.HOLE) {
        return MemoryStatus.FAILED;
      }
      for (long done = 0; done < length; ) {
        int moved =
            chunk(access, command, address + done, bytes, offset + done, length - done, deadline);
        if (moved == 0) {
          return MemoryStatus.FAILED;
        }
        done += moved;
      }
      return MemoryStatus.OK;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return MemoryStatus.FAILED;
    } finally {
      end(access);
    }
  }

  private void begin(DeviceAccess access) {
    lock.lock();
    try {
      accesses.add(access);
    } finally {
      lock.unlock();
    }
  }

  private void end(DeviceAccess access) {
    lock.lock();
    try {
      accesses.remove(access);
    } finally {
      lock.unlock();
    }
  }

  /// Moves as much as one message may.
  ///
  /// @return bytes moved; 0 when it failed
  private int chunk(
      DeviceAccess access,
      Command command,
      long address,
      MemorySegment bytes,
      long offset,
      long left,
      long deadline)
      throws InterruptedException {
    PeerRequest request;
    int id;
    DmaAccess.Layout known = awaitLayout(deadline);
    if (known == null) {
      return 0;
    }
    lock.lock();
    try {
      int count = (int) Math.min(left, transfer);
      Condition changed = lock.newCondition();
      request =
          command == Command.DMA_READ
              ? PeerRequest.read(access, address, count, bytes, offset, changed)
              : PeerRequest.write(access, address, count, changed);
      id = awaitPlace(request, deadline);
      if (id < 0) {
        return 0;
      }
    } finally {
      lock.unlock();
    }
    send(id, request, known, command == Command.DMA_WRITE ? bytes : null, offset);
    return awaitEnd(id, request, deadline) ? request.count : 0;
  }

  /// Waits until the client's layout is known, and asks for it if nobody has.
  ///
  /// @return null when it did not become known in time
  private DmaAccess.@Nullable Layout awaitLayout(long deadline) throws InterruptedException {
    probeUnlessKnown();
    lock.lock();
    try {
      while (layout == null && probing && !closed) {
        if (layoutKnown.awaitNanos(deadline - System.nanoTime()) <= 0) {
          return null;
        }
      }
      return closed ? null : layout;
    } finally {
      lock.unlock();
    }
  }

  private void probeUnlessKnown() {
    PeerRequest probe = PeerRequest.probe();
    int id;
    lock.lock();
    try {
      if (layout != null || probing || closed) {
        return;
      }
      id = requests.place(probe);
      if (id < 0) {
        return;
      }
      probing = true;
    } finally {
      lock.unlock();
    }
    send(id, probe, DmaAccess.Layout.SPECIFIED, null, 0);
  }

  /// Gives `request` a place, as soon as one is free.
  ///
  /// @return its id; -1 when it has to be given up
  private int awaitPlace(PeerRequest request, long deadline) throws InterruptedException {
    while (!closed && !isAborted(request)) {
      int id = requests.place(request);
      if (id >= 0) {
        return id;
      }
      if (placeFreed.awaitNanos(deadline - System.nanoTime()) <= 0) {
        return -1;
      }
    }
    return -1;
  }

  private static boolean isAborted(PeerRequest request) {
    return request.access != null && request.access.isAborted();
  }

  private void free(int id) {
    requests.free(id);
    placeFreed.signal();
  }

  /// @return whether the request was done as asked
  private boolean awaitEnd(int id, PeerRequest request, long deadline) throws InterruptedException {
    lock.lock();
    try {
      Condition changed = request.changed;
      while (changed != null && request.state == PeerRequest.State.WAITING) {
        if (changed.awaitNanos(deadline - System.nanoTime()) <= 0) {
          LOG.log(
              Level.WARNING,
              "the client did not answer a {0} of {1} bytes at 0x{2} in time",
              request.command,
              request.count,
              Long.toHexString(request.address));
          break;
        }
      }
      return request.state == PeerRequest.State.DONE;
    } finally {
      // Whatever ended the wait: a reply that comes later finds nobody, and must not write to the
      // caller's bytes.
      if (requests.find(id) == request) {
        free(id);
      }
      lock.unlock();
    }
  }

  /// Sends a request that has a place, unless it has ended in between.
  ///
  /// @param from the bytes of a write
  private void send(
      int id,
      PeerRequest request,
      DmaAccess.Layout known,
      @Nullable MemorySegment from,
      long offset) {
    sender.send(id, request, () -> isWanted(request), known, from, offset);
    // Of those who found this send under way.
    sendPosts();
  }

  private boolean isWanted(PeerRequest request) {
    lock.lock();
    try {
      return !closed && request.state == PeerRequest.State.WAITING;
    } finally {
      lock.unlock();
    }
  }

  /// Writes 4 bytes to `address` of the client's, some time soon, and waits for nothing: an
  /// interrupt message. Writes are sent in the order of the calls of one thread; one that is equal
  /// to one that still waits to be sent is left out.
  ///
  /// @return false when it was dropped, because the client has gone or takes none of very many
  boolean post(long address, int data) {
    lock.lock();
    try {
      if (closed || !posts.add(address, data)) {
        return false;
      }
    } finally {
      lock.unlock();
    }
    goOn();
    return true;
  }

  /// Sends what of the posted writes has had to stay, if it can go now. After each message of the
  /// client, which shows that it is alive.
  void goOn() {
    if (!posts.isEmpty()) {
      boolean _ =
          sender.tryAlone(() -> {
            if (sender.isWritable()) {
              probeUnlessKnown();
            }
            return true;
          });
      sendPosts();
    }
  }

  /// Sends what may be sent of the posted writes, in their order, and never waits: neither for a
  /// client that takes nothing nor for another's send. Those that stay go out behind that send, or
  /// when the client sends something.
  private void sendPosts() {
    while (maySendPost() && sender.tryAlone(this::sendAllPosts)) {
      // One may have come between the last look and the end of the sending.
    }
  }

  /// @return false when the client takes nothing now, or is being answered
  private boolean sendAllPosts() {
    while (maySendPost()) {
      if (!sendPost()) {
        return false;
      }
    }
    return true;
  }

  private boolean maySendPost() {
    lock.lock();
    try {
      if (closed || layout == null || posts.first() == null || requests.isFull()) {
        return false;
      }
    } finally {
      lock.unlock();
    }
    return sender.isWritable();
  }

  /// @return false when the oldest has to stay
  private boolean sendPost() {
    PostedWrites.Post post;
    PeerRequest request;
    DmaAccess.Layout known;
    int id;
    MemorySegment data = MemorySegment.ofArray(new byte[Integer.BYTES]);
    lock.lock();
    try {
      post = posts.first();
      known = layout;
      if (closed || known == null || post == null) {
        return false;
      }
      request = PeerRequest.post(post.address());
      id = requests.place(request);
      if (id < 0) {
        return false;
      }
      posts.remove(post);
      data.set(JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0, post.data());
    } finally {
      lock.unlock();
    }
    if (sender.sendNow(id, request, () -> isWanted(request), known, data)) {
      return true;
    }
    lock.lock();
    try {
      if (requests.find(id) == request) {
        free(id);
      }
      if (!closed) {
        posts.putBack(post);
      }
    } finally {
      lock.unlock();
    }
    return false;
  }

  /// Takes a reply. On the session's thread.
  void reply(MemorySegment message) {
    lock.lock();
    try {
      int id = Header.id(message);
      PeerRequest request = requests.find(id);
      if (request == null || request.command.code() != Header.command(message)) {
        LOG.log(Level.DEBUG, "a reply that nobody waits for, id {0}", id);
        return;
      }
      free(id);
      if (request.purpose == PeerRequest.Purpose.PROBE) {
        learnLayout(message);
      }
      boolean done = !Header.isError(message) && take(request, message);
      request.end(done ? PeerRequest.State.DONE : PeerRequest.State.FAILED);
      if (!done) {
        LOG.log(
            Level.DEBUG,
            "the client refused a {0} of {1} bytes at 0x{2}: {3}",
            request.command,
            request.count,
            Long.toHexString(request.address),
            Header.errno(message));
      }
    } finally {
      lock.unlock();
    }
    sendPosts();
  }

  /// Uses a reply that is no error.
  ///
  /// @return whether it says what it should
  private boolean take(PeerRequest request, MemorySegment message) {
    DmaAccess.Layout known = layout;
    MemorySegment into = request.into;
    if (into == null || known == null) {
      return true;
    }
    if (!DmaAccess.isWholeRead(message, known, request.address, request.count)) {
      return false;
    }
    try {
      MemorySegment.copy(message, known.data(), into, request.offset, request.count);
      return true;
    } catch (IllegalStateException e) {
      return false; // The device closed its own buffer under the access.
    }
  }

  /// Uses the reply to the write of no bytes. A client that calls it invalid is no QEMU, and has
  /// the layout of the specification; any other error, such as that the function may not write at
  /// all now, leaves the question open for the next message.
  private void learnLayout(MemorySegment message) {
    if (!Header.isError(message)) {
      layout = DmaAccess.layoutOf(message);
    } else if (Header.errno(message).equals(Errno.EINVAL)) {
      layout = DmaAccess.Layout.SPECIFIED;
    } else {
      int lost = posts.clear();
      LOG.log(Level.DEBUG, "the client refused memory messages; {0} interrupts are lost", lost);
    }
    probing = false;
    layoutKnown.signalAll();
    LOG.log(Level.DEBUG, "layout of memory messages: {0}", layout);
  }

  /// Ends every access to `[first, last]`: the client takes that memory back. After this returns no
  /// message about it is sent any more.
  void abort(long first, long last) {
    sender.alone(() -> {
      lock.lock();
      try {
        accesses.forEach(access -> access.abort(first, last));
        requests.endIf(PeerMemory::isAborted);
        placeFreed.signalAll();
      } finally {
        lock.unlock();
      }
    });
    sendPosts();
  }

  /// The client has gone: everything fails, and nothing is sent any more.
  void close() {
    sender.alone(() -> {
      lock.lock();
      try {
        closed = true;
        posts.clear();
        requests.endIf(request -> true);
        placeFreed.signalAll();
        layoutKnown.signalAll();
      } finally {
        lock.unlock();
      }
    });
  }
}
