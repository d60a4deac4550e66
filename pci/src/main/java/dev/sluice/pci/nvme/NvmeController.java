package dev.sluice.pci.nvme;

import dev.sluice.pci.Bar;
import dev.sluice.pci.ConfigSpace;
import dev.sluice.pci.DeviceIds;
import dev.sluice.pci.FunctionHost;
import dev.sluice.pci.MsixCapability;
import dev.sluice.pci.MsixTable;
import dev.sluice.pci.PciEndpoint;
import dev.sluice.pci.PcieCapability;
import dev.sluice.pci.PowerManagementCapability;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// An NVM Express 1.4 controller as a PCI function, with one namespace of 512-byte blocks on a
/// [BlockBackend].
///
/// It has a management thread and a few worker threads, from its construction until [#close()].
/// `docs/devices.md` lists what it implements.
public final class NvmeController extends PciEndpoint {
  /// Mass storage, non-volatile memory, NVMe I/O controller.
  private static final int CLASS_CODE = 0x01_08_02;

  private static final int REGISTERS_BAR = 0;
  private static final int MSIX_BAR = 4;

  private final NvmeConfig config;
  private final Namespace namespace;
  private final Counters counters;
  private final LogPages logPages;
  private final Lifecycle lifecycle;
  private final WorkerPool workers;
  private final ControllerRegisters registers;

  /// A controller that is not connected yet.
  ///
  /// @param backend at least 512 bytes; the controller closes it at its end
  /// @throws IllegalArgumentException if the backend has no whole block
  public NvmeController(NvmeConfig config, BlockBackend backend) {
    String name = "nvme-" + config.serial();
    Counters counters = new Counters();
    ErrorLog errors = new ErrorLog();
    Namespace namespace = new Namespace(backend, config.uuid());
    LogPages logPages = new LogPages(counters, errors);
    Lifecycle lifecycle = new Lifecycle(namespace, counters, name + "-admin");
    AdminCommands adminCommands =
        new AdminCommands(
            namespace,
            IdentifyController.of(config),
            new QueueCommands(config.vectors(), lifecycle::configuration),
            logPages);
    IoCommands ioCommands = new IoCommands(namespace, counters);
    CommandRunner runner =
        new CommandRunner(ioCommands, adminCommands, counters, errors, lifecycle::fatal);
    WorkerPool workers = new WorkerPool(runner, name, config.workers());
    ControllerRegisters registers =
        new ControllerRegisters(lifecycle, new Doorbells(lifecycle, workers, errors));
    this.config = config;
    this.namespace = namespace;
    this.counters = counters;
    this.logPages = logPages;
    this.lifecycle = lifecycle;
    this.workers = workers;
    this.registers = registers;
    super(configSpace(config, registers));
    lifecycle.start(runner, this::createRun);
    workers.start();
  }

  private static ConfigSpace.Builder configSpace(NvmeConfig config, ControllerRegisters registers) {
    MsixTable vectors = new MsixTable(config.vectors());
    return ConfigSpace.builder()
        .id(DeviceIds.VENDOR, DeviceIds.NVME)
        .revision(1)
        .classCode(CLASS_CODE)
        .bar(
            Bar.memory64(
                REGISTERS_BAR, ControllerRegisters.barSize(config.maxIoQueues()), registers))
        .bar(Bar.memory32(MSIX_BAR, vectors.barSize(), vectors))
        .capability(new PowerManagementCapability())
        .capability(new MsixCapability(vectors, MSIX_BAR))
        .capability(new PcieCapability(PcieCapability.Type.ROOT_COMPLEX_INTEGRATED_ENDPOINT));
  }

  /// What the controller has done so far.
  public NvmeStatistics statistics() {
    return counters.snapshot();
  }

  /// Takes over the backend's size, after it has grown or shrunk, and tells the guest if it wants
  /// to know (NVMe 1.4, 5.2).
  public void refreshSize() {
    if (!namespace.refreshSize()) {
      return;
    }
    logPages.namespaceChanged();
    Run run = lifecycle.run();
    if (run != null && run.features().wantsNamespaceNotices()) {
      run.events().raise(AsyncEvents.Type.NOTICE, AsyncEvents.NAMESPACE_ATTRIBUTE_CHANGED);
      lifecycle.wake();
    }
  }

  @Override
  protected void resetDevice(Runnable completed) {
    registers.reset();
    lifecycle.reset(completed);
  }

  /// Ends all commands, the threads and the backend. A command that is under way is waited for.
  @Override
  public void close() {
    lifecycle.close();
    workers.close();
    try {
      namespace.backend().close();
    } catch (IOException e) {
      System.getLogger(NvmeController.class.getName())
          .log(System.Logger.Level.WARNING, "the image file could not be closed", e);
    }
  }

  /// The controller with its admin queues as AQA, ASQ and ACQ have them (NVMe 1.4, 7.6.1); null if
  /// it cannot be enabled like this.
  private @Nullable Run createRun(ControllerConfiguration configuration, Runnable changed) {
    FunctionHost host = host().orElse(null);
    int submissions = registers.adminSubmissionEntries();
    int completions = registers.adminCompletionEntries();
    long submissionBase = registers.adminSubmissionQueue();
    long completionBase = registers.adminCompletionQueue();
    int pageMask = (1 << configuration.pageShift()) - 1;
    if (host == null
        || !configuration.supported()
        || submissions < 2
        || completions < 2
        || ((submissionBase | completionBase) & pageMask) != 0) {
      return null;
    }
    CompletionQueue results = new CompletionQueue(0, completionBase, completions, 0, true);
    SubmissionQueue admin = new SubmissionQueue(0, submissionBase, submissions, results);
    QueueSet queues = new QueueSet(config.maxIoQueues(), admin);
    Features features = new Features(config);
    return new Run(host, configuration.pageShift(), queues, features, changed);
  }
}
