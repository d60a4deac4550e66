package dev.sluice.vm.guest.nvme;

import dev.sluice.vm.guest.dma.DmaBuffer;
import dev.sluice.vm.guest.dma.DmaDirection;
import dev.sluice.vm.guest.dma.DmaMapper;
import dev.sluice.vm.guest.machine.DriverView;
import dev.sluice.vm.guest.machine.HardwareException;
import dev.sluice.vm.guest.machine.InterruptController.Message;
import dev.sluice.vm.guest.machine.Mmio;
import dev.sluice.vm.guest.machine.Ram;
import dev.sluice.vm.guest.pci.MsixVectors;
import dev.sluice.vm.guest.pci.PciDevice;
import java.util.ArrayList;
import java.util.List;

/// Binds to an NVMe controller and lets go of it again, in the order of Linux's `nvme_probe` and
/// `nvme_remove`.
public final class NvmeDriver {
  /// Base class, subclass and interface of an NVMe I/O controller.
  public static final int CLASS_CODE = 0x01_08_02;

  private static final int ADMIN_ENTRIES = 32;
  private static final int IO_QUEUES = 2;

  /// log2 of the most pages of a request: 1 MiB, half of what a PRP list of one page can name.
  private static final int MAX_TRANSFER_ORDER = 8;

  private static final int MAX_TRANSFER = Ram.PAGE << MAX_TRANSFER_ORDER;

  private static final int IDENTIFY_NAMESPACE = 0;
  private static final int IDENTIFY_CONTROLLER = 1;
  private static final int IDENTIFY_ACTIVE_NAMESPACES = 2;
  private static final int CONTROLLER_MDTS = 77;
  private static final int NAMESPACE_FLBAS = 26;
  private static final int NAMESPACE_LBAF = 128;

  private static final int SMALLEST_BLOCK_SHIFT = 9;
  private static final int LARGEST_BLOCK_SHIFT = 12;

  private static final int FEATURE_QUEUES = 0x07;
  private static final int FEATURE_ASYNC_EVENTS = 0x0B;

  /// Events about namespaces: the only ones that Linux asks for without conditions.
  private static final int NAMESPACE_EVENTS = 1 << 8;

  private final DriverView machine;
  private final PciDevice device;
  private final DmaMapper dma;
  private final Mmio registers;
  private final MsixVectors vectors;
  private final PrpPool prps;
  private final List<Message> messages = new ArrayList<>();
  private final List<QueuePair> ioQueues = new ArrayList<>();
  private final QueuePair admin;
  private final int stride;
  private final int queueEntries;

  private NvmeDriver(DriverView machine, PciDevice device, DmaMapper dma) throws HardwareException {
    this.machine = machine;
    this.device = device;
    this.dma = dma;
    device.enableMemory();
    device.busMaster(true);
    registers = device.bar(0);
    if (registers.read32(Registers.STATUS) == -1) {
      throw new HardwareException("the NVMe controller at " + device + " does not answer");
    }
    vectors = MsixVectors.enable(device);
    prps = new PrpPool(machine, dma);
    long capabilities = registers.read64(Registers.CAPABILITIES);
    stride = Integer.BYTES << (capabilities >>> 32 & 0xF);
    if ((capabilities >>> 48 & 0xF) != 0) {
      throw new HardwareException(
          "the NVMe controller at %s wants pages of more than 4 KiB: CAP 0x%x"
              .formatted(device, capabilities));
    }
    queueEntries = (int) Math.min((capabilities & 0xFFFF) + 1, QueuePair.MOST_ENTRIES);
    disable();
    admin = new QueuePair(machine, registers, dma, 0, ADMIN_ENTRIES, stride);
  }

  /// Resets the controller and brings it up.
  ///
  /// @param dma the controller's way to memory
  /// @throws HardwareException when it does not do what it should
  public static NvmeDriver bind(DriverView machine, PciDevice device, DmaMapper dma)
      throws HardwareException {
    NvmeDriver driver = new NvmeDriver(machine, device, dma);
    driver.connectVector(0, driver.admin);
    driver.enable();
    driver.createQueues();
    driver.admin.execute(Command.setFeature(FEATURE_ASYNC_EVENTS, NAMESPACE_EVENTS));
    driver.admin.submit(Command.asyncEventRequest());
    int version = driver.registers.read32(Registers.VERSION);
    machine
        .log()
        .info(
            "nvme nvme0: %s: NVMe %d.%d, %d/0/0 default/read/poll queues"
                .formatted(device, version >>> 16, version >>> 8 & 0xFF, driver.ioQueues.size()));
    return driver;
  }

  private void disable() throws HardwareException {
    int configuration =
        registers.read32(Registers.CONFIGURATION) & ~(Registers.SHUTDOWN_MASK | Registers.ENABLE);
    registers.write32(Registers.CONFIGURATION, configuration);
    awaitReady(0);
  }

  private void enable() throws HardwareException {
    registers.write32(
        Registers.ADMIN_QUEUE_ATTRIBUTES, (admin.entries() - 1) << 16 | (admin.entries() - 1));
    registers.write64(Registers.ADMIN_SUBMISSION_QUEUE, admin.submissionAddress());
    registers.write64(Registers.ADMIN_COMPLETION_QUEUE, admin.completionAddress());
    registers.write32(Registers.CONFIGURATION, Registers.ENTRY_SIZES);
    registers.write32(Registers.CONFIGURATION, Registers.ENTRY_SIZES | Registers.ENABLE);
    awaitReady(Registers.READY);
  }

  private void awaitReady(int wanted) throws HardwareException {
    machine
        .processor()
        .await(
            "CSTS.RDY of the NVMe controller did not become " + wanted,
            () -> {
              int status = registers.read32(Registers.STATUS);
              if (status == -1 || (wanted != 0 && (status & Registers.FATAL) != 0)) {
                throw new HardwareException(
                    "the NVMe controller does not start: CSTS 0x%x".formatted(status));
              }
              return (status & Registers.READY) == wanted;
            });
  }

  private void connectVector(int vector, QueuePair queue) throws HardwareException {
    Message message = machine.interrupts().request("nvme0q" + queue.id(), queue::reap);
    messages.add(message);
    vectors.program(vector, message);
  }

  private void createQueues() throws HardwareException {
    int wanted = Math.min(IO_QUEUES, vectors.count() - 1);
    if (wanted < 1) {
      throw new HardwareException("the NVMe controller has no interrupt vector for I/O");
    }
    int granted =
        admin
            .execute(Command.setFeature(FEATURE_QUEUES, (wanted - 1) << 16 | (wanted - 1)))
            .result();
    int count = Math.min(wanted, Math.min(granted & 0xFFFF, granted >>> 16) + 1);
    for (int id = 1; id <= count; id++) {
      QueuePair queue = new QueuePair(machine, registers, dma, id, queueEntries, stride);
      ioQueues.add(queue);
      admin.execute(Command.createCompletionQueue(id, queueEntries, queue.completionAddress(), id));
      admin.execute(Command.createSubmissionQueue(id, queueEntries, queue.submissionAddress(), id));
      connectVector(id, queue);
    }
  }

  /// Finds the controller's first namespace.
  ///
  /// @throws HardwareException when it has none
  public NvmeDisk disk() throws HardwareException {
    long page = machine.pages().allocate();
    DmaBuffer buffer = dma.map(new long[] {page}, DmaDirection.FROM_DEVICE);
    admin.execute(Command.identify(IDENTIFY_CONTROLLER, 0, buffer.busAddress(0)));
    int mdts = machine.ram().load32(page + CONTROLLER_MDTS) & 0xFF;
    admin.execute(Command.identify(IDENTIFY_ACTIVE_NAMESPACES, 0, buffer.busAddress(0)));
    int namespace = machine.ram().load32(page);
    if (namespace == 0) {
      throw new HardwareException("the NVMe controller has no namespace");
    }
    admin.execute(Command.identify(IDENTIFY_NAMESPACE, namespace, buffer.busAddress(0)));
    long blocks = machine.ram().load64(page);
    int format = machine.ram().load32(page + NAMESPACE_FLBAS) & 0xF;
    int shift = machine.ram().load32(page + NAMESPACE_LBAF + 4L * format) >>> 16 & 0xFF;
    dma.unmap(buffer);
    machine.pages().free(page);
    if (shift < SMALLEST_BLOCK_SHIFT
        || shift > LARGEST_BLOCK_SHIFT
        || blocks < 0
        || blocks > Long.MAX_VALUE >>> shift) {
      throw new HardwareException(
          "namespace %d says that it has %d blocks of 2^%d bytes"
              .formatted(namespace, blocks, shift));
    }
    int maxTransfer =
        mdts == 0 || mdts > MAX_TRANSFER_ORDER
            ? MAX_TRANSFER
            : Math.min(MAX_TRANSFER, Ram.PAGE << mdts);
    return new NvmeDisk(namespace, blocks << shift, 1 << shift, maxTransfer, ioQueues, prps, dma);
  }

  /// Deletes the queues, shuts the controller down and takes all memory away from it.
  ///
  /// @throws HardwareException when it does not do what it should
  public void unbind() throws HardwareException {
    for (QueuePair queue : ioQueues) {
      admin.execute(Command.deleteSubmissionQueue(queue.id()));
    }
    for (QueuePair queue : ioQueues) {
      admin.execute(Command.deleteCompletionQueue(queue.id()));
    }
    int configuration = registers.read32(Registers.CONFIGURATION) & ~Registers.SHUTDOWN_MASK;
    registers.write32(Registers.CONFIGURATION, configuration | Registers.SHUTDOWN_NORMAL);
    machine
        .processor()
        .await(
            "CSTS.SHST of the NVMe controller did not become `complete`",
            () -> {
              int status = registers.read32(Registers.STATUS);
              if (status == -1 || (status & Registers.FATAL) != 0) {
                throw new HardwareException(
                    "the NVMe controller does not shut down: CSTS 0x%x".formatted(status));
              }
              return (status & Registers.SHUTDOWN_STATUS_MASK) == Registers.SHUTDOWN_COMPLETE;
            });
    vectors.disable();
    messages.forEach(machine.interrupts()::release);
    device.busMaster(false);
    for (QueuePair queue : ioQueues) {
      queue.release();
    }
    admin.release();
    prps.release();
  }
}
