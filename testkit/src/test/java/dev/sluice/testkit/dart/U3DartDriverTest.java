package dev.sluice.testkit.dart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.MapResult;
import dev.sluice.dma.Mapping;
import dev.sluice.dma.MappingRevokedException;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import dev.sluice.memory.Word;
import dev.sluice.models.dart.u3.U3DartConfig;
import dev.sluice.models.dart.u3.U3DartIommu;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The G5's DARTs under what Linux's driver does to them.
class U3DartDriverTest {
  private static final long TABLE = 0x80_0000;
  private static final int MEMORY = 16 << 20;
  private static final long PAGE = 0x10_0000;
  private static final long A = 0x5000;
  private static final long B = 0x6000;

  private final GuestMemory memory = new GuestMemory();
  private final Deque<Runnable> polls = new ArrayDeque<>();
  private int polled;

  private final class Machine {
    final U3DartIommu iommu;
    final RecordedRegisters registers;
    final U3DartDriver driver;
    final DmaContext device;

    Machine(boolean u4) {
      memory.addRam(0, RamRegion.allocate(MEMORY));
      iommu = new U3DartIommu(u4 ? U3DartConfig.U4 : U3DartConfig.U3, memory, () -> {});
      registers = new RecordedRegisters(iommu::readRegister, iommu::writeRegister);
      driver =
          new U3DartDriver(
              registers,
              u4,
              new DriverMemory(memory, TABLE, 8 << 20),
              () -> {
                polled++;
                Runnable next = polls.poll();
                if (next != null) {
                  next.run();
                }
              });
      device = DmaContext.behind(iommu, memory, RequesterId.of(0, 1, 0));
      device.revocation(Revocation.never());
      driver.init();
    }

    Mapping mapping(long iova) {
      MapResult result = device.map(iova, 4096, Access.READ_WRITE);
      assertThat(result).isInstanceOf(Mapping.class);
      return (Mapping) result;
    }

    long leadsTo(long iova) {
      for (long page = 0; page < 8; page++) {
        assertThat(memory.fill(PAGE + page * 4096, 8, (byte) 0)).isEqualTo(8);
      }
      assertThat(device.store(iova, 8, ByteOrder.BIG_ENDIAN, 77)).isNull();
      Word word = new Word();
      for (long page = 0; page < 8; page++) {
        memory.load(PAGE + page * 4096, 8, ByteOrder.BIG_ENDIAN, word);
        if (word.asLong() == 77) {
          return PAGE + page * 4096;
        }
      }
      return -1;
    }
  }

  @AfterEach
  void giveMemoryBack() {
    memory.remove(0, MEMORY - 1, () -> {});
  }

  @Test
  void theU3IsSetUpByOneRegister() {
    Machine machine = new Machine(false);
    assertThat(machine.registers.take())
        .containsExactly("w0=800200", "r0=800200", "w0=800600", "r0=800200");
  }

  @Test
  void theU4IsSetUpByThree() {
    Machine machine = new Machine(true);
    assertThat(machine.registers.take())
        .containsExactly(
            "w10=800", "w20=200", "w0=80000000", "r0=90000000", "w0=b0000000", "r0=90000000");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatIsNotMappedIsTheDummyPage(boolean u4) {
    Machine machine = new Machine(u4);
    for (long iova : new long[] {0, A, 0x7FFF_F000L}) {
      assertThat(machine.device.check(iova, 4096, Access.READ_WRITE)).isNull();
      assertThat(machine.leadsTo(iova)).isEqualTo(-1);
    }
    assertThat(machine.device.check(0x8000_0000L, 1, Access.READ)).isNotNull();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatIsMappedIsReachedAndCanBeMappedAnew(boolean u4) {
    Machine machine = new Machine(u4);
    machine.driver.map(A, PAGE, 2);
    assertThat(machine.leadsTo(A)).isEqualTo(PAGE);
    assertThat(machine.leadsTo(B)).isEqualTo(PAGE + 0x1000);
    machine.driver.unmap(A, 2);
    assertThat(machine.leadsTo(A)).as("Linux does not flush here").isEqualTo(PAGE);
    machine.driver.map(A, PAGE + 0x2000, 2);
    assertThat(machine.leadsTo(A)).isEqualTo(PAGE + 0x2000);
    assertThat(machine.leadsTo(B)).isEqualTo(PAGE + 0x3000);
  }

  @Test
  void theU4IsToldOfEachPage() {
    Machine machine = new Machine(true);
    machine.registers.take();
    machine.driver.map(A, PAGE, 2);
    assertThat(machine.registers.take())
        .containsExactly("w0=c0000005", "r0=90000005", "w0=c0000006", "r0=90000006");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aMappingThatEndsInTimeDelaysTheDriver(boolean u4) {
    Machine machine = new Machine(u4);
    machine.driver.map(A, PAGE, 1);
    Mapping mapping = machine.mapping(A);
    for (int i = 0; i < 9; i++) {
      polls.add(() -> assertThat(mapping.isLive()).isTrue());
    }
    polls.add(mapping::close);
    machine.driver.map(A, PAGE + 0x1000, 1);
    assertThat(polled).isEqualTo(10);
    assertThat(machine.leadsTo(A)).isEqualTo(PAGE + 0x1000);
  }

  @Test
  void theBitIsClearedAndSetAgainMeanwhile() {
    Machine machine = new Machine(false);
    machine.driver.map(A, PAGE, 1);
    Mapping mapping = machine.mapping(A);
    polls.add(() -> {});
    polls.add(mapping::close);
    machine.registers.take();
    machine.driver.invalidateAll();
    assertThat(machine.registers.take())
        .isEqualTo(
            List.of(
                "r0=800200",
                "w0=800600",
                "r0=800600",
                "r0=800600",
                "w0=800200",
                "r0=800600",
                "w0=800600",
                "r0=800600",
                "r0=800200"));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aMappingThatDoesNotEndMakesLinuxPanicAfter31Polls(boolean u4) {
    Machine machine = new Machine(u4);
    machine.driver.map(A, PAGE, 1);
    Mapping mapping = machine.mapping(A);
    assertThatExceptionOfType(GuestPanic.class)
        .isThrownBy(() -> machine.driver.map(A, PAGE + 0x1000, 1));
    assertThat(polled).isEqualTo(31);
    mapping.close();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aMappingThatIsTakenAwayDoesNot(boolean u4) {
    Machine machine = new Machine(u4);
    machine.device.revocation(Revocation.immediately());
    machine.driver.map(A, PAGE, 1);
    Mapping mapping = machine.mapping(A);
    machine.driver.map(A, PAGE + 0x1000, 1);
    assertThat(polled).isZero();
    assertThatExceptionOfType(MappingRevokedException.class)
        .isThrownBy(() -> mapping.fill(0, 1, (byte) 1));
  }

  @Test
  void aMappingOfAnotherPageDoesNotDelayAU4() {
    Machine machine = new Machine(true);
    machine.driver.map(B, PAGE, 1);
    try (Mapping _ = machine.mapping(B)) {
      machine.driver.map(A, PAGE + 0x1000, 1);
      assertThat(polled).isZero();
    }
  }
}
