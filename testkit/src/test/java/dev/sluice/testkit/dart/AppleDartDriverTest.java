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
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.RamRegion;
import dev.sluice.memory.Word;
import dev.sluice.models.dart.apple.AppleDartConfig;
import dev.sluice.models.dart.apple.AppleDartIommu;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Apple's own DARTs under what Linux's driver does to them.
class AppleDartDriverTest {
  private static final int MEMORY = 16 << 20;
  private static final long TABLES = 0x80_0000;
  private static final long PAGE = 0x10_0000;
  private static final long A = 0xFFFF_0000L;
  private static final int STREAM = 3;

  private final GuestMemory memory = new GuestMemory();
  private final Deque<Runnable> polls = new ArrayDeque<>();
  private int polled;

  private final class Machine {
    final AppleDartIommu iommu;
    final RecordedRegisters registers;
    final AppleDartDriver driver;
    final DmaContext device;
    final List<AppleDartFault> faults = new ArrayList<>();

    Machine(AppleDartVariant variant) {
      this(variant, config(variant));
    }

    Machine(AppleDartVariant variant, AppleDartConfig config) {
      memory.addRam(0, RamRegion.allocate(MEMORY));
      AppleDartDriver[] handler = new AppleDartDriver[1];
      iommu =
          new AppleDartIommu(
              config,
              memory,
              asserted -> {
                AppleDartFault fault = asserted ? handler[0].handleInterrupt() : null;
                if (fault != null) {
                  faults.add(fault);
                }
              });
      registers = new RecordedRegisters(iommu::readRegister, iommu::writeRegister);
      driver =
          new AppleDartDriver(
              variant,
              registers,
              new DriverMemory(memory, TABLES, 8 << 20),
              () -> {
                polled++;
                Runnable next = polls.poll();
                if (next != null) {
                  next.run();
                }
              });
      handler[0] = driver;
      device = attach(STREAM);
    }

    DmaContext attach(int stream) {
      DmaContext context = DmaContext.behind(iommu, memory, new RequesterId(stream));
      context.revocation(Revocation.never());
      return context;
    }

    AppleDartDriver.Domain attached(int... streams) {
      assertThat(driver.probe()).isTrue();
      AppleDartDriver.Domain domain = driver.domain();
      domain.attach(streams(streams));
      return domain;
    }

    Mapping mapping(DmaContext from, long iova) {
      MapResult result = from.map(iova, 1L << driver.pageShift(), Access.READ_WRITE);
      assertThat(result).isInstanceOf(Mapping.class);
      return (Mapping) result;
    }

    boolean leads(DmaContext from, long iova, long address) {
      assertThat(memory.fill(address, 8, (byte) 0)).isEqualTo(8);
      if (from.store(iova, 8, ByteOrder.LITTLE_ENDIAN, 77) != null) {
        return false;
      }
      Word word = new Word();
      assertThat(memory.load(address, 8, ByteOrder.LITTLE_ENDIAN, word)).isEqualTo(MemoryStatus.OK);
      return word.asLong() == 77;
    }
  }

  private static AppleDartConfig config(AppleDartVariant variant) {
    return switch (variant) {
      case T8103 -> AppleDartConfig.T8020;
      case T6000 -> AppleDartConfig.T6000;
      case T8110 -> AppleDartConfig.T8110;
    };
  }

  private static BitSet streams(int... streams) {
    BitSet set = new BitSet();
    for (int stream : streams) {
      set.set(stream);
    }
    return set;
  }

  @AfterEach
  void giveMemoryBack() {
    memory.remove(0, MEMORY - 1, () -> {});
  }

  @Test
  void aT8103IsProbedAndAttachedInThisOrder() {
    Machine machine = new Machine(AppleDartVariant.T8103);
    assertThat(machine.driver.probe()).isTrue();
    List<String> probe = machine.registers.take();
    assertThat(probe).startsWith("r0=e000000", "r4=3", "r60=0", "w100=0", "w104=0");
    assertThat(probe.subList(19, 23)).containsExactly("w200=0", "w210=0", "w220=0", "w230=0");
    assertThat(probe)
        .endsWith(
            "w2ec=0",
            "w2fc=0",
            "wfc=ffffffff",
            "r40=0",
            "w40=0",
            "w34=ffff",
            "w20=100000",
            "r20=0");
    assertThat(probe).hasSize(3 + 16 + 64 + 6);
    machine.driver.domain().attach(streams(3, 4));
    assertThat(machine.registers.take())
        .containsExactly(
            "w230=80000800",
            "w240=80000800",
            "w234=0",
            "w244=0",
            "w238=0",
            "w248=0",
            "w23c=0",
            "w24c=0",
            "w10c=80",
            "w110=80",
            "w34=18",
            "w20=100000",
            "r20=0");
  }

  @Test
  void aT8110IsProbedAndAttachedInThisOrder() {
    Machine machine = new Machine(AppleDartVariant.T8110, AppleDartConfig.T8110.withStreams(2));
    assertThat(machine.driver.probe()).isTrue();
    assertThat(machine.registers.take())
        .containsExactly(
            "r0=e000000",
            "r4=3",
            "r8=2a240100",
            "rc=20002",
            "r200=0",
            "w1000=0",
            "w1004=0",
            "w1400=0",
            "w1404=0",
            "wc00=ffffffff",
            "r100=0",
            "w100=0",
            "w104=0",
            "w80=100",
            "r80=100",
            "w80=101",
            "r80=101");
    machine.driver.domain().attach(streams(1));
    assertThat(machine.registers.take())
        .containsExactly("w1404=801", "w1004=1", "w80=101", "r80=101");
  }

  @ParameterizedTest
  @EnumSource
  void whatIsMappedIsReachedUntilItIsUnmapped(AppleDartVariant variant) {
    Machine machine = new Machine(variant);
    AppleDartDriver.Domain domain = machine.attached(STREAM, 5);
    DmaContext other = machine.attach(5);
    DmaContext stranger = machine.attach(6);
    assertThat(domain.map(A, PAGE, 2, Access.READ_WRITE)).isTrue();
    assertThat(machine.leads(machine.device, A + 0x4008, PAGE + 0x4008)).isTrue();
    assertThat(machine.leads(other, A, PAGE)).isTrue();
    assertThat(machine.leads(stranger, A, PAGE)).isFalse();
    assertThat(domain.unmap(A, 1)).isTrue();
    assertThat(machine.leads(machine.device, A, PAGE)).isFalse();
    assertThat(machine.leads(other, A, PAGE)).isFalse();
    assertThat(machine.leads(other, A + 0x4000, PAGE + 0x4000)).isTrue();
    assertThat(machine.faults)
        .containsExactly(
            new AppleDartFault(6, "NO TTBR FOR IOVA", A),
            new AppleDartFault(STREAM, "NO PTE FOR IOVA", A),
            new AppleDartFault(5, "NO PTE FOR IOVA", A));
  }

  @ParameterizedTest
  @EnumSource
  void theHandlerNamesEachFault(AppleDartVariant variant) {
    Machine machine = new Machine(variant);
    AppleDartDriver.Domain domain = machine.attached(STREAM);
    domain.map(A, PAGE, 1, Access.READ);
    domain.map(A + 0x4000, PAGE, 1, Access.WRITE);
    assertThat(machine.device.fill(A + 5, 1, (byte) 0)).isNotNull();
    assertThat(machine.device.load(A + 0x4000, 8, ByteOrder.LITTLE_ENDIAN, new Word())).isNotNull();
    assertThat(machine.device.fill(A - 0x4000, 1, (byte) 0)).isNotNull();
    assertThat(machine.device.fill(0x4000, 1, (byte) 0)).isNotNull();
    machine.driver.block(streams(STREAM));
    assertThat(machine.device.fill(A, 1, (byte) 0)).isNotNull();
    assertThat(machine.faults)
        .containsExactly(
            new AppleDartFault(STREAM, "WRITE FAULT", A + 5),
            new AppleDartFault(STREAM, "READ FAULT", A + 0x4000),
            new AppleDartFault(STREAM, "NO PTE FOR IOVA", A - 0x4000),
            new AppleDartFault(STREAM, "NO PMD FOR IOVA", 0x4000),
            new AppleDartFault(STREAM, "NO TTBR FOR IOVA", A));
    assertThat(machine.driver.handleInterrupt()).isNull();
  }

  @ParameterizedTest
  @EnumSource
  void streamsGoPastTheTablesIfAsked(AppleDartVariant variant) {
    Machine machine = new Machine(variant);
    AppleDartDriver.Domain domain = machine.attached(STREAM);
    domain.map(A, PAGE, 1, Access.READ_WRITE);
    assertThat(machine.driver.supportsBypass()).isTrue();
    machine.driver.identity(streams(STREAM));
    domain.detach(streams(STREAM));
    assertThat(machine.leads(machine.device, PAGE, PAGE)).isTrue();
    domain.attach(streams(STREAM));
    assertThat(machine.leads(machine.device, PAGE, PAGE)).isFalse();
    assertThat(machine.leads(machine.device, A, PAGE)).isTrue();
  }

  @Test
  void pagesOf4KiBHaveFourTopTables() {
    Machine machine = new Machine(AppleDartVariant.T8103, AppleDartConfig.T8020.withPageShift(12));
    AppleDartDriver.Domain domain = machine.attached(STREAM);
    for (int i = 0; i < 4; i++) {
      long iova = (long) i << 30 | 0x1234_5000;
      domain.map(iova, PAGE + i * 0x1000L, 1, Access.READ_WRITE);
      assertThat(machine.leads(machine.device, iova, PAGE + i * 0x1000L)).isTrue();
    }
  }

  @Test
  void wideAddressesNeedFourLevels() {
    Machine machine = new Machine(AppleDartVariant.T8110, AppleDartConfig.T8110.withInputWidth(42));
    AppleDartDriver.Domain domain = machine.attached(STREAM);
    domain.map(0x3FF_0000_4000L, PAGE, 1, Access.READ_WRITE);
    assertThat(machine.leads(machine.device, 0x3FF_0000_4000L, PAGE)).isTrue();
    assertThat(machine.device.fill(0x1_0000_0000L, 1, (byte) 0)).isNotNull();
    assertThat(machine.faults)
        .containsExactly(new AppleDartFault(STREAM, "NO PGD FOR IOVA", 0x1_0000_0000L));
  }

  @ParameterizedTest
  @EnumSource
  void aLockedDartIsLeftAlone(AppleDartVariant variant) {
    Machine machine = new Machine(variant);
    boolean t8110 = variant == AppleDartVariant.T8110;
    machine.iommu.writeRegister(t8110 ? 0x200 : 0x60, 4, t8110 ? 1 : 1 << 15);
    assertThat(machine.driver.probe()).isFalse();
    assertThat(machine.registers.take()).noneMatch(access -> access.startsWith("w"));
  }

  @ParameterizedTest
  @EnumSource
  void aMappingThatEndsInTimeDelaysTheDriver(AppleDartVariant variant) {
    Machine machine = new Machine(variant);
    AppleDartDriver.Domain domain = machine.attached(STREAM);
    domain.map(A, PAGE, 1, Access.READ_WRITE);
    Mapping mapping = machine.mapping(machine.device, A);
    for (int i = 0; i < 50; i++) {
      polls.add(() -> assertThat(mapping.isLive()).isTrue());
    }
    polls.add(mapping::close);
    assertThat(domain.unmap(A, 1)).isTrue();
    assertThat(polled).isEqualTo(51);
  }

  @ParameterizedTest
  @EnumSource
  void linuxGivesUpOnAMappingThatDoesNotEnd(AppleDartVariant variant) {
    Machine machine = new Machine(variant);
    AppleDartDriver.Domain domain = machine.attached(STREAM);
    domain.map(A, PAGE, 1, Access.READ_WRITE);
    Mapping mapping = machine.mapping(machine.device, A);
    assertThat(domain.unmap(A, 1)).isFalse();
    assertThat(polled).isEqualTo(100);
    assertThat(machine.leads(machine.device, A, PAGE)).as("a new access").isFalse();

    DmaContext other = machine.attach(9);
    AppleDartDriver.Domain another = machine.driver.domain();
    another.attach(streams(9));
    another.map(A, PAGE + 0x4000, 1, Access.READ_WRITE);
    assertThat(machine.leads(other, A, PAGE + 0x4000)).isTrue();
    mapping.close();
    assertThat(another.unmap(A, 1)).isTrue();
    assertThat(machine.leads(other, A, PAGE + 0x4000)).isFalse();
    assertThat(machine.driver.timeouts()).isEqualTo(3);
  }

  @ParameterizedTest
  @EnumSource
  void aMappingThatIsTakenAwayDelaysNothing(AppleDartVariant variant) {
    Machine machine = new Machine(variant);
    machine.device.revocation(Revocation.immediately());
    AppleDartDriver.Domain domain = machine.attached(STREAM);
    domain.map(A, PAGE, 1, Access.READ_WRITE);
    Mapping mapping = machine.mapping(machine.device, A);
    assertThat(domain.unmap(A, 1)).isTrue();
    assertThat(polled).isZero();
    assertThatExceptionOfType(MappingRevokedException.class)
        .isThrownBy(() -> mapping.fill(0, 1, (byte) 1));
  }

  @ParameterizedTest
  @EnumSource
  void aMappingOfAnotherStreamDelaysNothing(AppleDartVariant variant) {
    Machine machine = new Machine(variant);
    AppleDartDriver.Domain domain = machine.attached(STREAM);
    domain.map(A, PAGE, 1, Access.READ_WRITE);
    AppleDartDriver.Domain another = machine.driver.domain();
    another.attach(streams(9));
    another.map(A, PAGE, 1, Access.READ_WRITE);
    try (Mapping _ = machine.mapping(machine.attach(9), A)) {
      assertThat(domain.unmap(A, 1)).isTrue();
      assertThat(polled).isZero();
    }
  }
}
