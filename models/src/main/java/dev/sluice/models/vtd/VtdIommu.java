package dev.sluice.models.vtd;

import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Invalidator;
import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.Iotlb;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.models.registers.ModelLock;
import dev.sluice.models.registers.RegisterBank;
import dev.sluice.models.registers.WriteHook;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;

/// A VT-d DMA-remapping unit in legacy mode.
///
/// Its guest sees a page of registers ([#readRegister], [#writeRegister]) and tables and a queue in
/// guest memory; its devices see [Iommu]. Any thread may call anything here; nothing blocks on a
/// device, and registers change hands under a lock that is held for nanoseconds.
public final class VtdIommu implements Iommu {
  /// Bytes of the register page.
  public static final int REGISTER_BYTES = VtdRegisters.BYTES;

  private final VtdConfig config;
  private final ModelLock lock = new ModelLock();
  private final Invalidator invalidator = new Invalidator();
  private final VtdCounters counters = new VtdCounters();
  private final VtdRegisters registers;
  private final RegisterBank bank;
  private final EventInterrupt faultEvent;
  private final EventInterrupt completionEvent;
  private final FaultReporting faults;
  private final Caches caches;
  private final DmaTranslation translation;
  private final RegisterInvalidation registerInvalidation;
  private final InvalidationQueue queue;
  private final InterruptSink interrupts;

  /// What GCMD.TE asks for. Guarded by the lock, like what follows.
  private boolean translationWanted;

  /// Whether translation has been switched and the accesses from before are not drained yet.
  private boolean switching;

  /// Counts resets: a switch from before one has nothing to report.
  private int resets;

  /// A unit in its state after reset: translation off, addresses are guest-physical.
  ///
  /// @param memory guest-physical memory, for tables, queue and status
  /// @param interrupts where the unit's own messages and its devices' go
  /// @param worker works on long invalidation queues. Its threads may wait for memory that is
  ///   reached by messages; it must not run tasks on the thread that submits them
  public VtdIommu(VtdConfig config, GuestMemory memory, InterruptSink interrupts, Executor worker) {
    this.config = config;
    this.interrupts = interrupts;
    registers = new VtdRegisters(config);
    bank = declare();
    faultEvent =
        new EventInterrupt(
            lock,
            bank,
            interrupts,
            InterruptSink.Event.FAULT,
            VtdRegisters.FECTL,
            VtdRegisters.FEDATA,
            VtdRegisters.FEADDR,
            VtdRegisters.FEUADDR);
    completionEvent =
        new EventInterrupt(
            lock,
            bank,
            interrupts,
            InterruptSink.Event.COMPLETION,
            VtdRegisters.IECTL,
            VtdRegisters.IEDATA,
            VtdRegisters.IEADDR,
            VtdRegisters.IEUADDR);
    faults = new FaultReporting(bank, registers, faultEvent, counters);
    ContextCache contexts = new ContextCache();
    PdeCaches directories = new PdeCaches();
    AbsentPages absent = new AbsentPages();
    DrainBudget budget = new DrainBudget(this::roomForQueue);
    caches = new Caches(invalidator, contexts, directories, absent, counters, budget);
    translation =
        new DmaTranslation(config, memory, invalidator, contexts, directories, absent, counters);
    registerInvalidation = new RegisterInvalidation(lock, bank, caches);
    queue =
        new InvalidationQueue(
            lock, bank, registers, memory, caches, faults, completionEvent, worker, counters);
  }

  private RegisterBank declare() {
    RegisterBank.Builder builder =
        RegisterBank.builder(lock, REGISTER_BYTES)
            .add(VtdRegisters.VER)
            .add(registers.capability)
            .add(registers.extendedCapability)
            .add(VtdRegisters.GCMD, this::globalCommandWritten)
            .add(VtdRegisters.GSTS)
            .add(registers.rootTableAddress)
            .add(
                VtdRegisters.CCMD, (v, b, t) -> registerInvalidation.contextCommandWritten(v, b, t))
            .add(VtdRegisters.FSTS, this::faultStatusWritten)
            .add(VtdRegisters.FECTL, (_, _, _) -> faultEvent.controlWritten())
            .add(VtdRegisters.FEDATA)
            .add(VtdRegisters.FEADDR)
            .add(VtdRegisters.FEUADDR)
            .add(VtdRegisters.IQH)
            .add(VtdRegisters.IQT, (_, _, _) -> queue.ring())
            .add(registers.queueAddress)
            .add(VtdRegisters.ICS, (_, _, _) -> queue.completionStatusWritten())
            .add(VtdRegisters.IECTL, (_, _, _) -> completionEvent.controlWritten())
            .add(VtdRegisters.IEDATA)
            .add(VtdRegisters.IEADDR)
            .add(VtdRegisters.IEUADDR)
            .add(VtdRegisters.IQERCD)
            .add(VtdRegisters.IVA)
            .add(
                VtdRegisters.IOTLB, (v, b, t) -> registerInvalidation.iotlbCommandWritten(v, b, t));
    registers.faultLow.forEach(builder::add);
    WriteHook recordWritten = (_, _, _) -> faults.recordWritten();
    registers.faultHigh.forEach(register -> builder.add(register, recordWritten));
    return builder.build();
  }

  // --- the guest's side

  /// What it was made with.
  public VtdConfig config() {
    return config;
  }

  /// A guest's read of a register.
  ///
  /// @param offset bytes from the start of the register page, 0 or more; beyond its end there is
  ///   nothing, which reads as zero
  /// @param size 1, 2, 4 or 8 bytes
  /// @return zero-extended
  public long readRegister(long offset, int size) {
    return bank.read(offset, size);
  }

  /// A guest's write to a register.
  ///
  /// @param offset bytes from the start of the register page, 0 or more; beyond its end there is
  ///   nothing, and nothing happens
  /// @param size 1, 2, 4 or 8 bytes
  /// @param value in its low `size` bytes
  public void writeRegister(long offset, int size, long value) {
    bank.write(offset, size, value);
  }

  /// A reset of the function, the recorded faults included: registers at their reset values,
  /// translation off, caches empty.
  ///
  /// @param drained runs once, when nothing that began before the reset can touch memory any more:
  ///   on this thread before the call returns when nothing is in flight, else on the thread that
  ///   ends the last access; short, and must not block. Until then what the new guest keeps in
  ///   memory may be overwritten by devices of the old one
  public void reset(Runnable drained) {
    AtomicInteger parts = new AtomicInteger(2);
    Runnable part =
        () -> {
          if (parts.decrementAndGet() == 0) {
            drained.run();
          }
        };
    lock.run(() -> {
      bank.reset();
      queue.reset(part);
      registerInvalidation.reset();
      faults.reset();
      caches.reset();
      resets++;
      switching = false;
      translationWanted = false;
      translation.root(DmaTranslation.Root.AFTER_RESET);
      lock.defer(() -> caches.clear(part));
    });
  }

  private void roomForQueue() {
    lock.run(queue::goOn);
  }

  /// GCMD_REG, 11.4.4.1. Software is to change one field at a time; here the root pointer is set
  /// before translation is switched on.
  private void globalCommandWritten(long command, long before, long touched) {
    bank.set(VtdRegisters.GCMD, 0);
    if ((command & GlobalCommand.SET_ROOT_TABLE_POINTER) != 0) {
      translation.root(
          new DmaTranslation.Root(
              translation.root().enabled(), bank.get(registers.rootTableAddress)));
      bank.change(VtdRegisters.GSTS, 0, GlobalCommand.SET_ROOT_TABLE_POINTER);
    }
    if ((touched & GlobalCommand.QUEUED_INVALIDATION_ENABLE) != 0) {
      queue.enable((command & GlobalCommand.QUEUED_INVALIDATION_ENABLE) != 0);
    }
    if ((touched & GlobalCommand.TRANSLATION_ENABLE) != 0) {
      translationWanted = (command & GlobalCommand.TRANSLATION_ENABLE) != 0;
      switchTranslation();
    }
  }

  /// Makes translation what is wanted. New requests go by the new setting at once; its status
  /// follows when those from before have been drained, and only then the next switch begins.
  private void switchTranslation() {
    DmaTranslation.Root now = translation.root();
    if (switching || now.enabled() == translationWanted) {
      return;
    }
    switching = true;
    boolean on = translationWanted;
    translation.root(new DmaTranslation.Root(on, now.rootTable()));
    int started = resets;
    lock.defer(() ->
        caches.rebind(() ->
            lock.run(() -> {
              if (started == resets) {
                switched(on);
              }
            })));
  }

  private void switched(boolean on) {
    switching = false;
    bank.change(
        VtdRegisters.GSTS,
        GlobalCommand.TRANSLATION_ENABLE,
        on ? GlobalCommand.TRANSLATION_ENABLE : 0);
    switchTranslation();
  }

  /// FSTS_REG, 11.4.7.1. Once an error of the queue is cleared, it goes on.
  private void faultStatusWritten(long value, long before, long touched) {
    faults.statusWritten();
    queue.ring();
  }

  // --- the devices' side

  @Override
  public Invalidator invalidator() {
    return invalidator;
  }

  @Override
  public Translation translate(Endpoint endpoint, long iova, Access access) {
    if (endpoint.pasid() != Endpoint.NO_PASID) {
      // Legacy mode has no tables for it.
      return new Translation.Fault(AbortReason.BLOCKED, DmaTranslation.NO_FAULT_REASON, false);
    }
    return translation.translate(endpoint, iova, access);
  }

  @Override
  public long walk(Endpoint endpoint, Iotlb space, long iova, Access access) {
    return endpoint.pasid() == Endpoint.NO_PASID
        ? translation.walk(endpoint, space, iova, access)
        : Iotlb.MISS;
  }

  @Override
  public void report(Endpoint endpoint, long iova, Access access, Translation.Fault fault) {
    if (fault.code() == DmaTranslation.NO_FAULT_REASON) {
      return;
    }
    if (!fault.recorded()) {
      counters.faultSuppressed();
      return;
    }
    FaultRecord record = FaultRecord.of(endpoint.requester(), iova, access, fault.code());
    lock.run(() -> faults.record(record));
  }

  @Override
  public void interrupt(Endpoint endpoint, long address, int data) {
    interrupts.send(address, data);
  }

  /// What the unit has done so far.
  public VtdStatistics statistics() {
    return counters.snapshot(invalidator.statistics());
  }
}
