package dev.sluice.vm.guest;

import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.GuestMemory;
import dev.sluice.vm.guest.machine.DriverView;
import dev.sluice.vm.guest.machine.InterruptController;
import dev.sluice.vm.guest.machine.KernelLog;
import dev.sluice.vm.guest.machine.PageAllocator;
import dev.sluice.vm.guest.machine.Processor;
import dev.sluice.vm.guest.machine.Ram;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;

/// A machine and the drivers' view of it, for tests of single drivers.
public final class DriverBench implements AutoCloseable {
  public static final RequesterId DISK = RequesterId.of(0, 5, 0);
  public static final RequesterId TEST_DEVICE = RequesterId.of(0, 6, 0);
  public static final RequesterId HOLDER = RequesterId.of(0, 7, 0);
  public static final long RAM_BYTES = 16 << 20;

  private final InProcessMachine platform = new InProcessMachine(RAM_BYTES);
  private final DriverView machine;

  public DriverBench() {
    KernelLog log = new KernelLog();
    InterruptController interrupts = new InterruptController(log);
    platform.interruptsTo(interrupts::deliver);
    Ram ram = new Ram(platform.memory());
    machine =
        new DriverView(
            platform.bus(),
            ram,
            new PageAllocator(ram, GuestMemory.PAGE, RAM_BYTES, 0),
            new Processor(interrupts, Duration.ofSeconds(20)),
            log);
  }

  public InProcessMachine platform() {
    return platform;
  }

  public DriverView machine() {
    return machine;
  }

  /// The same machine for a driver that waits `patience` at the most.
  public DriverView machine(Duration patience) {
    return new DriverView(
        machine.bus(),
        machine.ram(),
        machine.pages(),
        new Processor(machine.interrupts(), patience),
        machine.log());
  }

  /// A DMAR table with all functions behind the platform's IOMMU.
  public static byte[] dmarTable() {
    ByteBuffer table = ByteBuffer.allocate(12 + 40).order(ByteOrder.LITTLE_ENDIAN);
    table.put(0, (byte) 47).position(12);
    table.putShort((short) 0).putShort((short) 40).putInt(0);
    table.putLong(InProcessMachine.IOMMU_REGISTERS);
    for (RequesterId endpoint : new RequesterId[] {DISK, TEST_DEVICE, HOLDER}) {
      table.putShort((short) 0x0801).putInt(0);
      table.put((byte) endpoint.device()).put((byte) endpoint.function());
    }
    return table.array();
  }

  @Override
  public void close() {
    platform.close();
  }
}
