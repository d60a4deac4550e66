package dev.sluice.vm.guest.vtd;

import dev.sluice.iommu.RequesterId;
import dev.sluice.vm.guest.machine.DriverView;
import dev.sluice.vm.guest.machine.HardwareException;
import dev.sluice.vm.guest.machine.InterruptController.Message;
import dev.sluice.vm.guest.machine.Mmio;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// One DMA remapping unit (DRHD), driven in the order of Linux's `init_dmars` and
/// `intel_iommu_init`: queue, root table, fault event, a domain for each function, translation on.
public final class VtdUnit {
  private static final int NO_DEVICE = -1;

  /// Domain 0 is special where entries that are not present are cached (6.1).
  private static final int FIRST_DOMAIN = 1;

  private final DriverView machine;
  private final Mmio registers;
  private final Capabilities capabilities;
  private final int version;
  private final FaultHandler faults;
  private final Map<RequesterId, VtdDomain> domains = new HashMap<>();
  private final List<Integer> freeDomains = new ArrayList<>();
  private final InvalidationQueue queue;
  private final RootTable root;
  private final Message faultMessage;
  private int nextDomain = FIRST_DOMAIN;

  /// Finds the unit at an address that firmware's table names. Changes nothing in it yet.
  ///
  /// @param base physical address of its registers
  /// @throws HardwareException when nothing is there, or something this driver cannot use
  public VtdUnit(DriverView machine, long base) throws HardwareException {
    this.machine = machine;
    registers = new Mmio(machine.bus(), base, Registers.SIZE);
    version = registers.read32(Registers.VERSION);
    capabilities =
        new Capabilities(
            registers.read64(Registers.CAPABILITY),
            registers.read64(Registers.EXTENDED_CAPABILITY));
    if (version == NO_DEVICE || capabilities.capability() == -1L) {
      throw new HardwareException("no remapping hardware answers at 0x%x".formatted(base));
    }
    if (version >>> 4 == 0 || capabilities.levels() == 0) {
      throw new HardwareException(
          "the remapping hardware at 0x%x says version 0x%x and %s, with which nothing can be"
                  .formatted(base, version, capabilities)
              + " translated");
    }
    faults = new FaultHandler(registers, capabilities, machine.log());
    queue = new InvalidationQueue(machine, registers);
    root = new RootTable(machine);
    faultMessage = machine.interrupts().request("dmar0", faults::handle);
    machine.log().info(description());
  }

  /// As Linux's log names it.
  public String description() {
    return "DMAR: dmar0: reg_base_addr %x ver %d:%d %s"
        .formatted(registers.base(), version >>> 4 & 0xF, version & 0xF, capabilities);
  }

  Capabilities capabilities() {
    return capabilities;
  }

  /// Turns on the invalidation queue and has it complete a first request.
  ///
  /// @throws HardwareException when there is none or it does not work
  public void enableQueue() throws HardwareException {
    if (!capabilities.queuedInvalidation()) {
      throw new HardwareException("the remapping hardware has no invalidation queue");
    }
    if (isOn(Registers.TRANSLATION_ENABLE)) {
      machine.log().info("DMAR: Translation already enabled - trying to disable");
      command(Registers.TRANSLATION_ENABLE, false);
    }
    faults.handle();
    if (isOn(Registers.QUEUED_INVALIDATION)) {
      command(Registers.QUEUED_INVALIDATION, false);
    }
    queue.program();
    command(Registers.QUEUED_INVALIDATION, true);
    queue.submit();
    machine.log().info("DMAR: dmar0: Using Queued invalidation");
  }

  /// Sets the root table, empties the caches and enables the fault event.
  public void setRootTable() throws HardwareException {
    flushWriteBuffer();
    registers.write64(Registers.ROOT_TABLE, root.address());
    command(Registers.SET_ROOT_TABLE, true);
    submit(Descriptor.contextGlobal());
    submit(Descriptor.iotlbGlobal(capabilities));
    flushWriteBuffer();
    faults.enable(faultMessage);
  }

  /// Gives a function an empty address space of its own. Its caches need no invalidation: an entry
  /// that was not present is not cached, except in caching mode (6.1).
  ///
  /// @param flushing what is wanted; in caching mode it is always strict, as in Linux
  public VtdDomain attach(RequesterId function, Flushing flushing) throws HardwareException {
    int id = freeDomains.isEmpty() ? nextDomain++ : freeDomains.removeLast();
    if (id >= capabilities.domains()) {
      throw new HardwareException("the remapping hardware has no domain id left for " + function);
    }
    SecondStageTable table = new SecondStageTable(machine, capabilities.levels());
    Flushing possible = capabilities.cachingMode() ? Flushing.STRICT : flushing;
    VtdDomain domain = new VtdDomain(this, id, table, capabilities.addressWidth(), possible);
    root.set(function, id, table.address(), table.levels());
    if (capabilities.cachingMode()) {
      submit(Descriptor.contextDevice(0, function.value()));
      submit(Descriptor.iotlbDomain(capabilities, id));
    } else {
      flushWriteBuffer();
    }
    domains.put(function, domain);
    machine
        .log()
        .info("pci 0000:%s: Adding to iommu group %d".formatted(function, domains.size() - 1));
    return domain;
  }

  /// Takes a function's address space away, with everything that is mapped in it.
  public void detach(RequesterId function) throws HardwareException {
    VtdDomain domain = domains.remove(function);
    if (domain == null) {
      throw new IllegalArgumentException(function + " is not attached");
    }
    root.clear(function);
    submit(Descriptor.contextDevice(domain.id(), function.value()));
    domain.flush();
    domain.table().allTables().forEach(this::freePage);
    freeDomains.add(domain.id());
  }

  /// From here on the hardware translates.
  public void enableTranslation() throws HardwareException {
    if (capabilities.protectedMemory()) {
      disableProtectedMemory();
    }
    command(Registers.TRANSLATION_ENABLE, true);
    machine.log().info("DMAR: Intel(R) Virtualization Technology for Directed I/O");
  }

  private void disableProtectedMemory() throws HardwareException {
    int value = registers.read32(Registers.PROTECTED_MEMORY);
    registers.write32(Registers.PROTECTED_MEMORY, value & ~Registers.PROTECTED_MEMORY_ENABLE);
    machine
        .processor()
        .await(
            "PMEN.PRS did not become 0",
            () ->
                (registers.read32(Registers.PROTECTED_MEMORY) & Registers.PROTECTED_MEMORY_STATUS)
                    == 0);
  }

  /// Whether the hardware says that it translates.
  public boolean isTranslating() {
    return isOn(Registers.TRANSLATION_ENABLE);
  }

  /// Every fault that the fault event has announced so far.
  public List<DmarFault> faults() {
    return faults.faults();
  }

  /// Whether a fault is recorded that no interrupt has announced.
  public boolean hasUnannouncedFault() {
    return (registers.read32(Registers.FAULT_STATUS) & Registers.FAULT_PENDING) != 0;
  }

  void submit(Descriptor descriptor) throws HardwareException {
    queue.submit(descriptor);
  }

  InvalidationQueue.Submission begin(Descriptor descriptor) {
    return queue.begin(descriptor);
  }

  void freePage(long page) {
    machine.pages().free(page);
  }

  /// Makes changes in memory visible to hardware that would not see them otherwise (6.8).
  void flushWriteBuffer() throws HardwareException {
    if (capabilities.needsWriteBufferFlush()) {
      writeCommand(Registers.WRITE_BUFFER_FLUSH);
      machine
          .processor()
          .await("GSTS.WBFS did not become 0", () -> !isOn(Registers.WRITE_BUFFER_FLUSH));
    }
  }

  /// Switches something on or off and waits until the hardware says that it is (11.4.4.1: one
  /// command at a time).
  private void command(int bit, boolean on) throws HardwareException {
    int kept = registers.read32(Registers.GLOBAL_STATUS) & Registers.KEPT_ENABLED;
    registers.write32(Registers.GLOBAL_COMMAND, on ? kept | bit : kept & ~bit);
    machine
        .processor()
        .await(
            "bit %d of GSTS did not become %d"
                .formatted(Integer.numberOfTrailingZeros(bit), on ? 1 : 0),
            () -> isOn(bit) == on);
  }

  private void writeCommand(int bit) {
    int kept = registers.read32(Registers.GLOBAL_STATUS) & Registers.KEPT_ENABLED;
    registers.write32(Registers.GLOBAL_COMMAND, kept | bit);
  }

  private boolean isOn(int bit) {
    return (registers.read32(Registers.GLOBAL_STATUS) & bit) != 0;
  }
}
