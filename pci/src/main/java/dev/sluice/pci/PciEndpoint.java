package dev.sluice.pci;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What every function does with its host and its configuration space; a device author extends it.
///
/// It passes COMMAND's bus master enable on to the [DMA
/// context][dev.sluice.dma.DmaContext#busMaster(boolean)], so that a device cannot forget to, and
/// puts the configuration space back when the function is reset or taken out of its host.
public abstract class PciEndpoint implements PciFunction {
  private final ConfigSpace config;
  private volatile @Nullable FunctionHost host;

  /// An endpoint with this configuration space.
  protected PciEndpoint(ConfigSpace.Builder config) {
    this.config = config.onCommand(this::commandWritten).build();
  }

  @Override
  public final ConfigSpace config() {
    return config;
  }

  /// The host, while connected.
  protected final Optional<FunctionHost> host() {
    return Optional.ofNullable(host);
  }

  /// Ends the device's own work: registers as after reset, and no access to memory from before this
  /// once `completed` has run. Called on the thread that serves the guest; does not block.
  ///
  /// @param completed runs once, on any thread, perhaps before this returns
  protected abstract void resetDevice(Runnable completed);

  @Override
  public void connect(FunctionHost newHost) {
    if (host != null) {
      throw new IllegalStateException("the function is connected already");
    }
    newHost.dma().busMaster(config.command().busMaster());
    host = newHost;
  }

  @Override
  public final void disconnect(Runnable completed) {
    resetConfig();
    host = null;
    resetDevice(completed);
  }

  @Override
  public final void reset(Runnable completed) {
    resetConfig();
    resetDevice(completed);
  }

  private void resetConfig() {
    config.reset();
    config.capability(MsixCapability.class).ifPresent(msix -> msix.table().reset());
  }

  private void commandWritten(Command command) {
    FunctionHost connected = host;
    if (connected != null) {
      connected.dma().busMaster(command.busMaster());
    }
  }
}
