package dev.sluice.models.dart.u3;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.DmaContext;
import dev.sluice.iommu.RequesterId;
import dev.sluice.models.HostileDevices;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A guest that writes anything anywhere, and devices that access anything: nothing throws, and
/// afterwards everything works.
class HostileGuestTest {
  private static final int[] REGISTERS = {0x00, 0x10, 0x20, 0x30};

  /// Few pages, so that chance builds tables that lead somewhere.
  private static final int ARENA = 0x10_000;

  @ParameterizedTest
  @CsvSource({"U3, 1", "U3, 2", "U3, 3", "U4, 4", "U4, 5", "U4, 6"})
  void nothingThrowsAndNothingIsKept(Bridge bridge, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    U3DartConfig config = bridge == Bridge.U3 ? U3DartConfig.U3 : U3DartConfig.U4;
    try (DartMachine machine = new DartMachine(config.withOnPciExpress(id -> id.bus() == 0))) {
      DmaContext[] devices = {machine.device, machine.attach(RequesterId.of(1, 2, 3))};
      HostileDevices hostile = new HostileDevices(machine.iommu, 20_000, 8192);
      for (int step = 0; step < 30_000; step++) {
        switch (random.nextInt(6)) {
          case 0 -> writeRegister(machine, random);
          case 1, 2 ->
              machine.memory.store(
                  random.nextInt(ARENA / 4) * 4L, 4, ByteOrder.BIG_ENDIAN, word(random));
          case 3, 4 ->
              hostile.access(devices[random.nextInt(devices.length)], iova(random), random);
          default -> hostile.hold(devices[random.nextInt(devices.length)], iova(random), random);
        }
        if (step % 10_000 == 9_999) {
          machine.iommu.reset(() -> {});
        }
      }
      machine.flush();
      hostile.letGo();
      assertThat(machine.isFlushing()).isFalse();
      machine.iommu.reset(() -> {});
      machine.enabled(1);
      machine.flush();
      machine.map(0x5000, 0x8_0000);
      assertThat(machine.leadsTo(machine.device, 0x5000)).isEqualTo(0x8_0000);
    }
  }

  private static void writeRegister(DartMachine machine, SplittableRandom random) {
    int offset =
        random.nextInt(10) == 0
            ? random.nextInt(U3DartIommu.REGISTER_BYTES + 64)
            : REGISTERS[random.nextInt(REGISTERS.length)];
    int size = random.nextInt(10) == 0 ? 1 << random.nextInt(4) : 4;
    machine.iommu.writeRegister(offset, size, word(random));
    machine.iommu.readRegister(offset, size);
  }

  /// Numbers that mean something more often than chance would have it.
  private static long word(SplittableRandom random) {
    long page = random.nextInt(ARENA / 4096);
    return switch (random.nextInt(6)) {
      case 0 -> 0x8000_0000L | page;
      case 1 -> page << 12 | 0x600 | random.nextInt(4);
      case 2 -> 0xE000_0000L | page;
      case 3 -> page;
      default -> random.nextInt() & 0xFFFF_FFFFL;
    };
  }

  private static long iova(SplittableRandom random) {
    return switch (random.nextInt(4)) {
      case 0 -> random.nextInt(ARENA);
      case 1 -> 0x80_0000_0000L + random.nextInt(ARENA);
      case 2 -> random.nextLong(1L << 33);
      default -> random.nextLong();
    };
  }
}
