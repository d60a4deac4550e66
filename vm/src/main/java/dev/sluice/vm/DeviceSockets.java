package dev.sluice.vm;

import dev.sluice.dma.DmaContext;
import dev.sluice.memory.GuestMemory;
import dev.sluice.models.vtd.VtdIommu;
import dev.sluice.pci.FunctionHost;
import dev.sluice.pci.PciFunction;
import dev.sluice.vfiouser.server.ServerOptions;
import dev.sluice.vfiouser.server.ServerStatistics;
import dev.sluice.vfiouser.server.SessionListener;
import dev.sluice.vfiouser.server.VfioUserServer;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// [SluiceDevices] behind vfio-user sockets, one for each device and one for the IOMMU's registers.
///
/// Each function has guest memory of its own, since each is reached by a client of its own that
/// shares what it may see.
final class DeviceSockets implements AutoCloseable {
  private static final Logger LOG = System.getLogger(DeviceSockets.class.getName());

  /// How long the sessions of a client that has gone may go on: a server answers within 4 s,
  /// whatever its device does.
  private static final long LAST_WORDS_NANOS = TimeUnit.SECONDS.toNanos(15);

  /// The server of the function at a place.
  private record Served(Place place, VfioUserServer server) {}

  private final SluiceDevices devices;
  private final Map<Place, Path> paths = new EnumMap<>(Place.class);
  private final List<Served> served = new CopyOnWriteArrayList<>();
  private final List<DmaContext> contexts = new ArrayList<>();
  private final IommuMessages messages = new IommuMessages();
  private final @Nullable IommuFunction iommuFunction;
  private final Clients clients;

  private DeviceSockets(SluiceDevices devices, Consumer<String> events) {
    this.devices = devices;
    iommuFunction = devices.hasIommu() ? new IommuFunction() : null;
    clients = new Clients(events);
  }

  /// Makes the sockets in `folder` and serves the devices there.
  ///
  /// @param events told of clients that come and go, a sentence each
  static DeviceSockets open(SluiceDevices devices, Path folder, Consumer<String> events)
      throws BootException {
    DeviceSockets sockets = new DeviceSockets(devices, events);
    try {
      VtdIommu iommu = sockets.serveIommu(folder);
      for (Map.Entry<Place, PciFunction> device : devices.functions().entrySet()) {
        sockets.serveDevice(device.getKey(), device.getValue(), folder, iommu);
      }
      return sockets;
    } catch (IOException e) {
      sockets.close();
      throw new BootException(
          "cannot open a socket in " + folder + ": " + e.getMessage(),
          "Choose a folder with a short path that this user can write to and no other server uses.",
          e);
    }
  }

  private @Nullable VtdIommu serveIommu(Path folder) throws IOException {
    if (iommuFunction == null) {
      return null;
    }
    VfioUserServer server = listen(Place.IOMMU, iommuFunction, folder);
    VtdIommu iommu = devices.makeIommu(server.memory(), messages);
    iommuFunction.attach(iommu, devices.registers(iommu, server.memory()), messages::clear);
    DmaContext own = DmaContext.direct(server.memory(), Place.IOMMU.requester());
    connect(server, iommuFunction, own);
    return iommu;
  }

  private void serveDevice(Place place, PciFunction device, Path folder, @Nullable VtdIommu iommu)
      throws IOException {
    VfioUserServer server = listen(place, device, folder);
    GuestMemory memory = server.memory();
    DmaContext dma =
        iommu == null
            ? DmaContext.direct(memory, place.requester())
            : DmaContext.behind(iommu, memory, place.requester());
    dma.revocation(SluiceDevices.patience(place));
    connect(server, device, dma);
  }

  private VfioUserServer listen(Place place, PciFunction function, Path folder) throws IOException {
    Path path = folder.resolve(place.text() + ".sock");
    ServerOptions options = ServerOptions.DEFAULT.withListener(clients.of(place));
    VfioUserServer server = VfioUserServer.listen(path, function, options);
    served.add(new Served(place, server));
    messages.addFunction(function.config(), server::postMessageWrite);
    paths.put(place, path);
    return server;
  }

  private void connect(VfioUserServer server, PciFunction function, DmaContext dma) {
    contexts.add(dma);
    function.connect(FunctionHost.of(dma, server.interrupts()));
    server.start();
  }

  /// The sockets by the place that their function must have.
  Map<Place, Path> sockets() {
    return Collections.unmodifiableMap(paths);
  }

  /// What clients did with the function at a place so far; nothing where there is none.
  ServerStatistics statistics(Place place) {
    for (Served each : served) {
      if (each.place() == place) {
        return each.server().statistics();
      }
    }
    return new ServerStatistics(0, 0, 0, 0);
  }

  /// Where the guest's firmware put the IOMMU's registers, if it has or does within the time given.
  OptionalLong awaitIommuAddress(long time, TimeUnit unit) throws InterruptedException {
    return iommuFunction == null ? OptionalLong.empty() : iommuFunction.awaitAddress(time, unit);
  }

  /// Forgets where the IOMMU's registers are, before another start.
  void forgetIommuAddress() {
    if (iommuFunction != null) {
      iommuFunction.forgetAddress();
    }
  }

  /// Waits until no client is connected: what the last one sent has been handled then. Gives up,
  /// with a warning, on a session that does not end, for instance because the disk behind a
  /// function hangs.
  void awaitDisconnected() throws InterruptedException {
    if (!clients.awaitNone(LAST_WORDS_NANOS)) {
      LOG.log(Level.WARNING, "a client's session did not end in time after the client had gone");
    }
  }

  @Override
  public void close() {
    for (Served each : served.reversed()) {
      try {
        each.server().close();
      } catch (IOException e) {
        LOG.log(Level.WARNING, "a socket could not be removed", e);
      }
    }
    served.clear();
    contexts.forEach(DmaContext::close);
    contexts.clear();
  }

  /// Counts clients.
  private static final class Clients {
    private final Consumer<String> events;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private int connected;

    Clients(Consumer<String> events) {
      this.events = events;
    }

    SessionListener of(Place place) {
      return new SessionListener() {
        @Override
        public void connected(String peer) {
          count(1);
          events.accept(place.text() + ": " + peer + " has connected");
        }

        @Override
        public void disconnected(String peer, String reason) {
          try {
            events.accept(place.text() + ": " + peer + " has gone: " + reason);
          } finally {
            count(-1);
          }
        }

        @Override
        public void refused(String peer, String reason) {
          LOG.log(Level.DEBUG, () -> place.text() + ": refused " + peer + ": " + reason);
        }

        @Override
        public void failed(Throwable failure) {
          events.accept(place.text() + ": failed: " + failure);
        }
      };
    }

    private void count(int change) {
      lock.lock();
      try {
        connected += change;
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }

    /// Whether there was a moment without a client before the time was over.
    boolean awaitNone(long nanos) throws InterruptedException {
      lock.lock();
      try {
        long left = nanos;
        while (connected > 0 && left > 0) {
          left = changed.awaitNanos(left);
        }
        return connected == 0;
      } finally {
        lock.unlock();
      }
    }
  }
}
