package dev.sluice.vm;

import dev.sluice.models.vtd.VtdIommu;
import dev.sluice.pci.Bar;
import dev.sluice.pci.BarHandler;
import dev.sluice.pci.Command;
import dev.sluice.pci.ConfigSpace;
import dev.sluice.pci.DeviceIds;
import dev.sluice.pci.PciEndpoint;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The VT-d's register page as BAR 0 of a PCI function, which is how a guest in QEMU reaches an
/// IOMMU that lives outside.
///
/// No driver binds to the function: the operating system finds the page through the ACPI table. So
/// the function only has to be where the table says, and [#awaitAddress] tells where the firmware
/// put it.
final class IommuFunction extends PciEndpoint {
  /// System peripheral, other.
  private static final int CLASS_CODE = 0x08_80_00;

  /// Beside the identifiers of the devices that come with Sluice.
  private static final int DEVICE_ID = 0x5106;

  private final Registers registers;
  private final Placement placement;
  private volatile @Nullable VtdIommu model;
  private volatile Runnable onReset = () -> {};

  IommuFunction() {
    Registers behind = new Registers();
    Placement where = new Placement();
    Bar bar = Bar.memory32(0, VtdIommu.REGISTER_BYTES, behind);
    this.registers = behind;
    this.placement = where;
    super(
        ConfigSpace.builder()
            .id(DeviceIds.VENDOR, DEVICE_ID)
            .revision(1)
            .classCode(CLASS_CODE)
            .bar(bar)
            .onCommand(where::commandWritten));
    where.watch(config(), bar);
  }

  /// Puts the model behind the registers; before that they read as zero.
  ///
  /// @param page its registers, as the guest reaches them
  /// @param whenReset runs when a reset of the model is over
  void attach(VtdIommu iommu, BarHandler page, Runnable whenReset) {
    onReset = whenReset;
    model = iommu;
    registers.page = page;
  }

  /// The register page's guest-physical address, once the firmware has given it one and switched
  /// its decoding on; waits for that for at most the time given.
  OptionalLong awaitAddress(long time, TimeUnit unit) throws InterruptedException {
    return placement.await(unit.toNanos(time));
  }

  /// Forgets the address, so that [#awaitAddress] waits for the next.
  void forgetAddress() {
    placement.forget();
  }

  /// The machine's promise to the guest that comes after the reset: the memory is its own. So the
  /// reset is not over before whatever the devices obtained through the old tables is.
  @Override
  protected void resetDevice(Runnable completed) {
    VtdIommu iommu = model;
    if (iommu == null) {
      completed.run();
    } else {
      iommu.reset(() -> {
        onReset.run();
        completed.run();
      });
    }
  }

  /// The model has no threads of its own; the machine ends those that it lent it.
  @Override
  public void close() {}

  /// BAR 0.
  private static final class Registers implements BarHandler {
    private volatile @Nullable BarHandler page;

    @Override
    public long read(long offset, int size) {
      BarHandler now = page;
      return now == null ? 0 : now.read(offset, size);
    }

    @Override
    public void write(long offset, int size, long value) {
      BarHandler now = page;
      if (now != null) {
        now.write(offset, size, value);
      }
    }
  }

  /// Where the page is.
  private static final class Placement {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private OptionalLong address = OptionalLong.empty();
    private @Nullable ConfigSpace config;
    private @Nullable Bar bar;

    void watch(ConfigSpace ofFunction, Bar registers) {
      lock.lock();
      try {
        config = ofFunction;
        bar = registers;
      } finally {
        lock.unlock();
      }
    }

    void commandWritten(Command command) {
      lock.lock();
      try {
        if (command.memorySpace() && config != null && bar != null && config.address(bar) != 0) {
          address = OptionalLong.of(config.address(bar));
          changed.signalAll();
        }
      } finally {
        lock.unlock();
      }
    }

    OptionalLong await(long nanos) throws InterruptedException {
      lock.lock();
      try {
        long left = nanos;
        while (address.isEmpty() && left > 0) {
          left = changed.awaitNanos(left);
        }
        return address;
      } finally {
        lock.unlock();
      }
    }

    void forget() {
      lock.lock();
      try {
        address = OptionalLong.empty();
      } finally {
        lock.unlock();
      }
    }
  }
}
