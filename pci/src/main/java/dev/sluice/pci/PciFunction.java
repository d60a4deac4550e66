package dev.sluice.pci;

import java.util.Optional;

/// One PCI function, as a server or a platform sees it. [PciEndpoint] does the parts that all have
/// in common.
///
/// Life: [#connect], then configuration and BAR accesses and resets, then [#disconnect], and again;
/// at the end [#close]. All but `close` are called on the thread that serves the guest, one at a
/// time, and return without waiting for the device: what takes time tells its end through a
/// continuation.
public interface PciFunction extends AutoCloseable {
  /// The configuration space, its BARs and its capabilities.
  ConfigSpace config();

  /// The BAR that starts at base address register `index`, if there is one.
  default Optional<Bar> bar(int index) {
    return config().bars().stream().filter(bar -> bar.index() == index).findFirst();
  }

  /// How many message interrupt vectors the function has: those of MSI-X, else those of MSI, else
  /// 0.
  default int interruptVectors() {
    return config()
        .capability(MsixCapability.class)
        .map(MsixCapability::vectors)
        .or(() -> config().capability(MsiCapability.class).map(MsiCapability::vectors))
        .orElse(0);
  }

  /// Plugs the function into `host`, after which it may use the host's memory and interrupts.
  ///
  /// @throws IllegalStateException if it is connected already
  void connect(FunctionHost host);

  /// Takes the function out of its host, if it is in one. The state of the device and of the
  /// configuration space becomes that after reset.
  ///
  /// @param completed runs once, on any thread and perhaps before this returns, when nothing of the
  ///   device uses the old host any more; short and not blocking. A new host may be connected
  ///   before that.
  void disconnect(Runnable completed);

  /// Resets the function as a conventional reset does (PCIe 6.6.1): configuration space and device.
  ///
  /// @param completed runs once, on any thread and perhaps before this returns, when no access to
  ///   memory from before the reset can happen any more; short and not blocking
  void reset(Runnable completed);

  /// Ends the function and its threads, and waits for them. Not on the thread that serves the
  /// guest. Doing it twice is harmless.
  @Override
  void close();
}
