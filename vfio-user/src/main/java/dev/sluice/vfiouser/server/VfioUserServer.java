package dev.sluice.vfiouser.server;

import dev.sluice.memory.GuestMemory;
import dev.sluice.pci.Interrupts;
import dev.sluice.pci.PciFunction;
import dev.sluice.vfiouser.transport.Channel;
import dev.sluice.vfiouser.transport.Listener;
import dev.sluice.vfiouser.transport.UnixListener;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Serves one PCI function to one vfio-user client at a time: QEMU's `vfio-user-pci`, Cloud
/// Hypervisor, or any other.
///
/// The order of things:
/// 1. [#listen] makes the socket, so that a client may connect;
/// 2. the function is connected to a host made of this server's [#memory()] and [#interrupts()],
///    with an IOMMU between or without;
/// 3. [#start()] begins to serve;
/// 4. [#close()] ends it. The function is still connected then, to memory that is empty.
///
/// Clients come and go; the function's state stays. One thread accepts and serves.
public final class VfioUserServer implements AutoCloseable {
  private static final Logger LOG = System.getLogger(VfioUserServer.class.getName());

  /// The pause after a client could not be accepted, which most often means that the process has
  /// too many open files.
  private static final long ACCEPT_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Listener listener;
  private final PciFunction function;
  private final ServerOptions options;
  private final GuestMemory memory = new GuestMemory();
  private final IrqTable irqs;
  private final SessionThread thread;
  private volatile @Nullable Channel channel;
  private volatile @Nullable PeerMemory peer;
  private volatile boolean closing;
  private boolean started;

  private VfioUserServer(Listener listener, PciFunction function, ServerOptions options) {
    this.listener = listener;
    this.function = function;
    this.options = options;
    irqs = new IrqTable(function.config());
    thread = new SessionThread("vfio-user " + listener, this::run);
  }

  /// A server on a UNIX socket, whose file is made now, for its owner alone, and goes with the
  /// server. The file of a dead server is replaced.
  ///
  /// @throws IOException when the path is longer than 107 bytes, its directory is missing or not
  ///   writable, something else is there, or a server is alive on it
  public static VfioUserServer listen(Path socket, PciFunction function, ServerOptions options)
      throws IOException {
    return on(UnixListener.listen(socket, options.sendLimit()), function, options);
  }

  /// A server on any transport, which it closes at its end.
  public static VfioUserServer on(Listener listener, PciFunction function, ServerOptions options) {
    return new VfioUserServer(listener, function, options);
  }

  /// The client's memory: what it has mapped, by guest-physical address. The same object for all
  /// clients; empty without one.
  public GuestMemory memory() {
    return memory;
  }

  /// The way to the client's interrupts; they are lost without a client.
  public Interrupts interrupts() {
    return irqs;
  }

  /// Writes 4 bytes, little-endian, to a guest-physical address of the client's by a message, and
  /// does not wait for that: how a function sends a message interrupt to an address that it chose
  /// itself, as an IOMMU does for its own faults. From any thread, handlers of BARs included.
  ///
  /// @return false when there is no client, or it takes none of very many such writes
  public boolean postMessageWrite(long address, int data) {
    PeerMemory now = peer;
    return now != null && now.post(address, data);
  }

  /// Tells the client that the device met an error that it cannot recover from.
  ///
  /// @return whether the client listens
  public boolean reportError() {
    return irqs.fire(IrqIndex.ERR, 0);
  }

  /// Asks the client to give the device up.
  ///
  /// @return whether the client listens
  public boolean requestRelease() {
    return irqs.fire(IrqIndex.REQ, 0);
  }

  /// Begins to serve.
  ///
  /// @throws IllegalStateException when it did already, or was closed
  public synchronized void start() {
    if (started || closing) {
      throw new IllegalStateException("the server on " + listener + " was started already");
    }
    started = true;
    thread.start();
  }

  private void run() {
    try {
      Channel client = accept();
      while (client != null) {
        serve(client);
        client = accept();
      }
    } catch (IOException e) {
      LOG.log(Level.ERROR, () -> "the server on " + listener + " ends", e);
      options.listener().failed(e);
    }
  }

  /// Waits for a client.
  ///
  /// @return null when the server is closed
  private @Nullable Channel accept() throws IOException {
    while (true) {
      try {
        return listener.accept();
      } catch (InternalError e) {
        // Of an access to the memory of a client that has gone: see GuestMemory.
        LOG.log(Level.DEBUG, "late news of memory that was cut short", e);
      } catch (IOException e) {
        LOG.log(Level.WARNING, () -> "no client can be accepted on " + listener, e);
        options.listener().failed(e);
        if (listener.awaitStop(ACCEPT_PAUSE_NANOS)) {
          return null;
        }
      }
    }
  }

  private void serve(Channel client) {
    try (client;
        Arena arena = Arena.ofShared()) {
      channel = client;
      if (closing) {
        return;
      }
      Session session = new Session(client, arena, function, memory, irqs, options);
      peer = session.peer();
      options.listener().connected(client.peer());
      String reason = "its session failed";
      try {
        reason = session.run();
      } finally {
        // Whatever happened: somebody may count who is there.
        LOG.log(Level.DEBUG, "{0} has gone: {1}", client.peer(), reason);
        options.listener().disconnected(client.peer(), reason);
      }
    } catch (RuntimeException | Error e) {
      LOG.log(Level.ERROR, () -> "the session with " + client.peer() + " failed", e);
      options.listener().failed(e);
    } finally {
      peer = null;
      channel = null;
    }
  }

  /// Sends the client away, ends the thread and removes the socket. Does nothing the second time.
  ///
  /// @throws IOException when the socket's file could not be removed
  /// @throws IllegalStateException on the server's own thread
  @Override
  public void close() throws IOException {
    if (Thread.currentThread() == thread) {
      throw new IllegalStateException("a server cannot be closed by what it calls");
    }
    synchronized (this) {
      if (closing) {
        return;
      }
      closing = true;
    }
    listener.stop();
    Channel client = channel;
    if (client != null) {
      client.shutdown();
    }
    awaitEnd();
    listener.close();
  }

  private void awaitEnd() {
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

  @Override
  public String toString() {
    return "vfio-user server on " + listener;
  }
}
