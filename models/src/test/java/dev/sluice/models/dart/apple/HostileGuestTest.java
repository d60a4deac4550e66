package dev.sluice.models.dart.apple;

import static dev.sluice.models.dart.apple.DartMachine.READ_WRITE;
import static dev.sluice.models.dart.apple.DartMachine.STREAM;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.DmaContext;
import dev.sluice.models.HostileDevices;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A guest that writes anything anywhere, and devices that access anything: nothing throws, and
/// afterwards everything works.
class HostileGuestTest {
  private static final int[] T8020_REGISTERS = {
    0x20, 0x34, 0x40, 0x80, 0x84, 0xFC, 0x10C, 0x110, 0x230, 0x234, 0x23C, 0x240
  };
  private static final int[] T8110_REGISTERS = {
    0x80, 0x100, 0x104, 0x1C0, 0x204, 0xC00, 0xC20, 0x100C, 0x1010, 0x140C, 0x1410
  };

  /// Few pages, so that chance builds tables that lead somewhere.
  private static final int ARENA = 0x10_0000;

  @ParameterizedTest
  @CsvSource({"T8020, 1", "T8020, 2", "T6000, 3", "T6000, 4", "T8110, 5", "T8110, 6"})
  void nothingThrowsAndNothingIsKept(DartType type, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    try (DartMachine machine = DartMachine.of(type)) {
      DmaContext[] devices = {machine.device, machine.attach(4), machine.attach(99)};
      HostileDevices hostile = new HostileDevices(machine.iommu, 40_000, 40_000);
      for (int step = 0; step < 30_000; step++) {
        switch (random.nextInt(6)) {
          case 0 -> writeRegister(machine, random);
          case 1, 2 ->
              machine.store(
                  random.nextInt(ARENA / 0x4000) * 0x4000L + random.nextInt(32) * 8L, word(random));
          case 3, 4 ->
              hostile.access(devices[random.nextInt(devices.length)], iova(random), random);
          default -> hostile.hold(devices[random.nextInt(devices.length)], iova(random), random);
        }
        if (step % 5_000 == 4_999) {
          machine.iommu.reset(() -> {});
        }
      }
      hostile.letGo();
      assertThat(machine.isBusy()).isFalse();
      machine.iommu.reset(() -> {});
      machine.map(machine.translated(STREAM), 0x4000, 0x10_0000, READ_WRITE);
      assertThat(machine.leads(machine.device, 0x4000, 0x10_0000)).isTrue();
    }
  }

  private static void writeRegister(DartMachine machine, SplittableRandom random) {
    int[] registers = machine.isT8110() ? T8110_REGISTERS : T8020_REGISTERS;
    int offset =
        random.nextInt(10) == 0
            ? random.nextInt(AppleDartIommu.REGISTER_BYTES + 64)
            : registers[random.nextInt(registers.length)];
    int size = random.nextInt(10) == 0 ? 1 << random.nextInt(4) : 4;
    machine.iommu.writeRegister(offset, size, word(random));
    machine.iommu.readRegister(offset, size);
  }

  /// Numbers that mean something more often than chance would have it.
  private static long word(SplittableRandom random) {
    long page = random.nextInt(ARENA / 0x4000) * 0x4000L;
    long part = (long) random.nextInt(1 << 12) << 52 | (long) random.nextInt(1 << 12) << 40;
    return switch (random.nextInt(9)) {
      case 0 -> page | 1 | DartMachine.wholePage();
      case 1 -> page >> 4 | 1 | DartMachine.wholePage();
      case 2 -> page | 1 | part;
      case 3 -> page >> 4 | 1 | part;
      case 4 -> 0x8000_0000L | page >> 12;
      case 5 -> page >> 14 << 2 | 1;
      case 6 -> 1L << random.nextInt(32);
      case 7 -> 0x80;
      default -> random.nextLong();
    };
  }

  private static long iova(SplittableRandom random) {
    return switch (random.nextInt(4)) {
      case 0, 1 -> (long) random.nextInt(32) << 25 | random.nextInt(32 << 14);
      case 2 -> random.nextLong(1L << 33);
      default -> random.nextLong();
    };
  }
}
