/// A vfio-user server: PCI functions offered to an unmodified VMM over a UNIX socket.
module dev.sluice.vfiouser {
  requires transitive dev.sluice.pci;
  requires tools.jackson.core;
  requires static transitive org.jspecify;

  exports dev.sluice.vfiouser.server;
  exports dev.sluice.vfiouser.transport;
}
