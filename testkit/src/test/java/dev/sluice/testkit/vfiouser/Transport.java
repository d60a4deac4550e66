package dev.sluice.testkit.vfiouser;

import dev.sluice.pci.PciFunction;
import dev.sluice.vfiouser.server.ServerOptions;
import dev.sluice.vfiouser.server.VfioUserServer;
import dev.sluice.vfiouser.transport.InMemoryTransport;
import java.io.IOException;
import java.nio.file.Path;

/// The two transports that every message is tested on.
enum Transport {
  /// A UNIX socket, descriptors and all.
  UNIX {
    @Override
    Place open(Path directory, PciFunction function, ServerOptions options) throws IOException {
      Path path = directory.resolve("s");
      return new Place(
          VfioUserServer.listen(path, function, options), () -> VfioUserClient.connect(path));
    }

    @Override
    ClientMemory memory(long size) throws IOException {
      return ClientMemory.file(size);
    }

    @Override
    ClientEvent event() throws IOException {
      return ClientEvent.eventFd();
    }
  },
  /// Queues in this process.
  IN_MEMORY {
    @Override
    Place open(Path directory, PciFunction function, ServerOptions options) {
      InMemoryTransport transport = new InMemoryTransport();
      return new Place(
          VfioUserServer.on(transport, function, options),
          () -> new VfioUserClient(transport.connect()));
    }

    @Override
    ClientMemory memory(long size) {
      return ClientMemory.local(size);
    }

    @Override
    ClientEvent event() {
      return ClientEvent.local();
    }
  };

  /// Makes a client of a server.
  interface Connector {
    VfioUserClient connect() throws IOException;
  }

  /// A server that is not started, and the way to it.
  record Place(VfioUserServer server, Connector connector) {}

  abstract Place open(Path directory, PciFunction function, ServerOptions options)
      throws IOException;

  abstract ClientMemory memory(long size) throws IOException;

  abstract ClientEvent event() throws IOException;
}
