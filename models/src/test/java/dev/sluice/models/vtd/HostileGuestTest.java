package dev.sluice.models.vtd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.DmaContext;
import dev.sluice.iommu.RequesterId;
import dev.sluice.models.HostileDevices;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A guest that writes anything anywhere, and devices that access anything: nothing throws, and no
/// thread is kept.
class HostileGuestTest {
  private static final int[] REGISTERS = {
    0x18, 0x1C, 0x20, 0x24, 0x28, 0x2C, 0x34, 0x38, 0x3C, 0x40, 0x44, 0x80, 0x88, 0x90, 0x9C, 0xA0,
    0xA4, 0xA8, 0xAC, 0xB0, 0x200, 0x208, 0x20C, 0x400, 0x408, 0x40C, 0x47C
  };

  /// Where the guest has its tables and its queue: few places, so that chance builds tables that
  /// lead somewhere.
  private static final int ARENA = 0x10_000;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void nothingThrowsAndNothingIsKept(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    try (VtdMachine machine = new VtdMachine()) {
      DmaContext[] devices = {
        machine.device,
        machine.attach(RequesterId.of(0, 0, 0)),
        machine.attach(RequesterId.of(1, 2, 3))
      };
      HostileDevices hostile = new HostileDevices(machine.iommu, 20_000, 8192);
      for (int step = 0; step < 20_000; step++) {
        switch (random.nextInt(8)) {
          case 0, 1 -> writeRegister(machine, random);
          case 2, 3, 4 -> writeMemory(machine, random);
          case 5 -> hostile.access(devices[random.nextInt(devices.length)], iova(random), random);
          case 6 -> hostile.hold(devices[random.nextInt(devices.length)], iova(random), random);
          default -> runOneTask(machine);
        }
        assertThat(machine.worker.size()).isLessThanOrEqualTo(1);
        if (step % 5_000 == 4_999) {
          machine.iommu.reset(() -> {});
        }
      }
      hostile.letGo();
      machine.runWorker();
      assertThatItStillWorks(machine);
    }
  }

  private static void writeRegister(VtdMachine machine, SplittableRandom random) {
    int offset =
        random.nextInt(10) == 0
            ? random.nextInt(0x1100)
            : REGISTERS[random.nextInt(REGISTERS.length)];
    int size = 1 << random.nextInt(4);
    machine.iommu.writeRegister(offset, size, word(random));
    machine.iommu.readRegister(random.nextInt(0x1100), size);
  }

  private static void writeMemory(VtdMachine machine, SplittableRandom random) {
    machine.tables.store(random.nextInt(ARENA / 8) * 8L, word(random));
  }

  /// Numbers that mean something more often than chance would have it: entries, descriptors,
  /// commands.
  private static long word(SplittableRandom random) {
    long page = random.nextInt(ARENA / 4096) * 4096L;
    return switch (random.nextInt(8)) {
      case 0 -> page | 1;
      case 1 -> page | 3;
      case 2 -> page | 0x83;
      case 3 -> random.nextInt(1 << 12);
      case 4 -> ((long) random.nextInt(4) << 60) | (1L << 63) | random.nextInt(16);
      case 5 -> 0xC400_0000L;
      case 6 -> 0x12 | ((long) random.nextInt(4) << 4);
      default -> random.nextLong();
    };
  }

  private static long iova(SplittableRandom random) {
    return switch (random.nextInt(3)) {
      case 0 -> random.nextInt(ARENA);
      case 1 -> random.nextLong(1L << 48);
      default -> random.nextLong();
    };
  }

  private static void runOneTask(VtdMachine machine) {
    Runnable task = machine.worker.poll();
    if (task != null) {
      task.run();
    }
  }

  private static void assertThatItStillWorks(VtdMachine machine) {
    machine.iommu.reset(() -> {});
    GuestTables fresh = new GuestTables(machine.memory, VtdMachine.TABLES);
    long top = fresh.translated(VtdMachine.DEVICE, GuestTables.WIDTH_48, VtdMachine.DOMAIN);
    fresh.map(top, 4, 1, 0x5000, 0x8_0000, GuestTables.READ_WRITE);
    machine.queued();
    machine.write64(VtdMachine.RTADDR, fresh.rootTable());
    machine.command(VtdMachine.SRTP, 0);
    machine.submit(0x11, 0, 0x12, 0, VtdMachine.waitLow(77), VtdMachine.STATUS);
    machine.runWorker();
    assertThat(machine.status()).isEqualTo(77);
    machine.command(VtdMachine.TE, 0);
    assertThat(machine.device.fill(0x5000, 4, (byte) 9)).isNull();
    assertThat(fresh.load(0x8_0000) & 0xFFFF_FFFFL).isEqualTo(0x0909_0909L);
  }
}
