package dev.sluice.vm.guest.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.iommu.RequesterId;
import dev.sluice.pci.Bar;
import dev.sluice.pci.BarHandler;
import dev.sluice.pci.ConfigSpace;
import dev.sluice.pci.MsixCapability;
import dev.sluice.pci.MsixTable;
import dev.sluice.pci.PciEndpoint;
import dev.sluice.vm.guest.DriverBench;
import dev.sluice.vm.guest.machine.Bus;
import dev.sluice.vm.guest.machine.HardwareException;
import dev.sluice.vm.guest.machine.InterruptController.Message;
import dev.sluice.vm.guest.machine.Mmio;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PciScanTest {
  private static final RequesterId FIRST = RequesterId.of(0, 3, 0);
  private static final RequesterId SECOND = RequesterId.of(0, 31, 0);

  private final DriverBench guest = new DriverBench();
  private final Bus bus = guest.platform().bus();

  @AfterEach
  void close() {
    guest.close();
  }

  @Test
  void functionsAreFoundAndTheirRegistersGetAlignedAddressesThatDoNotOverlap() throws Exception {
    guest.platform().plug(FIRST, new Device(0x4000, 0x20));
    guest.platform().plug(SECOND, new Device(0x10_0000, 0x1000));

    List<PciDevice> found = PciScan.run(bus);

    assertThat(found).extracting(PciDevice::address).containsExactly(FIRST, SECOND);
    assertThat(found.getFirst().id()).isEqualTo(0x5678_1234);
    assertThat(found.getFirst().classCode()).isEqualTo(0x01_08_02);
    assertThat(found.getFirst().barAddress(0)).isEqualTo(0xE000_0000L);
    assertThat(found.getFirst().bar(2).size()).isEqualTo(0x20);
    assertThat(found.getFirst().barAddress(2)).isEqualTo(0xE000_4000L);
    assertThat(found.getLast().barAddress(0)).isEqualTo(0xE010_0000L);
    assertThat(found.getLast().bar(0).size()).isEqualTo(0x10_0000);
  }

  @Test
  void registersAnswerWhereTheyWerePlacedOnceDecodingIsOn() throws Exception {
    guest.platform().plug(FIRST, new Device(0x4000, 0x20));
    PciDevice device = PciScan.run(bus).getFirst();
    Mmio registers = device.bar(0);
    assertThat(registers.read32(0x10)).isEqualTo(-1);

    device.enableMemory();

    registers.write32(0x10, 0x1234_5678);
    assertThat(registers.read32(0x10)).isEqualTo(0x1234_5678);
    assertThat(bus.read(registers.base() + 0x3FFE, 4)).isEqualTo(0xFFFF_FFFFL);
  }

  @Test
  void aVectorThatWasProgrammedInterruptsTheGuest() throws Exception {
    Device function = new Device(0x4000, 0x20);
    guest.platform().plug(FIRST, function);
    PciDevice device = PciScan.run(bus).getFirst();
    device.enableMemory();
    List<String> taken = new ArrayList<>();
    MsixVectors vectors = MsixVectors.enable(device);
    Message message = guest.machine().interrupts().request("v1", () -> taken.add("v1"));
    assertThat(vectors.count()).isEqualTo(3);

    function.signal(1);
    guest.machine().processor().await("anything", () -> true);
    assertThat(taken).isEmpty();
    vectors.program(1, message);

    guest.machine().processor().await("the interrupt", () -> taken.equals(List.of("v1")));
    vectors.disable();
    function.signal(1);
    guest.machine().processor().await("anything", () -> true);
    assertThat(taken).hasSize(1);
  }

  @Test
  void aBarThatIsNotThereHasNoRegisters() throws Exception {
    guest.platform().plug(FIRST, new Device(0x4000, 0x20));
    PciDevice device = PciScan.run(bus).getFirst();

    assertThatThrownBy(() -> device.bar(5))
        .isInstanceOf(HardwareException.class)
        .hasMessage("00:03.0 has no memory BAR 5");
    assertThatThrownBy(() -> PciScan.find(List.of(device), SECOND))
        .isInstanceOf(HardwareException.class)
        .hasMessage("there is no PCI function 00:1f.0");
  }

  @Test
  void anEndlessListOfCapabilitiesIsNoticed() {
    PciDevice device =
        new PciDevice(
            new Bus() {
              @Override
              public long read(long address, int size) {
                return 0;
              }

              @Override
              public void write(long address, int size, long value) {}

              @Override
              public long readConfig(RequesterId function, int offset, int size) {
                return offset == 6 ? 0x10 : 0x4005;
              }

              @Override
              public void writeConfig(RequesterId function, int offset, int size, long value) {}
            },
            FIRST);

    assertThatThrownBy(() -> MsixVectors.enable(device))
        .isInstanceOf(HardwareException.class)
        .hasMessageContaining("without an end");
  }

  /// A function with a memory of 64 bits, one of 32 bits, and three vectors.
  private static final class Device extends PciEndpoint {
    Device(long wide, long narrow) {
      this(wide, narrow, new MsixTable(3));
    }

    private Device(long wide, long narrow, MsixTable table) {
      super(
          ConfigSpace.builder()
              .id(0x1234, 0x5678)
              .classCode(0x01_08_02)
              .bar(Bar.memory64(0, wide, new Bytes()))
              .bar(Bar.memory32(2, narrow, new Bytes()))
              .bar(Bar.memory32(3, table.barSize(), table))
              .capability(new MsixCapability(table, 3)));
    }

    void signal(int vector) {
      host().orElseThrow().interrupts().signal(vector);
    }

    @Override
    protected void resetDevice(Runnable completed) {
      completed.run();
    }

    @Override
    public void close() {}
  }

  /// Registers of 4 bytes that keep what is written.
  private static final class Bytes implements BarHandler {
    private final long[] words = new long[1 << 18];

    @Override
    public long read(long offset, int size) {
      return words[(int) offset / 4];
    }

    @Override
    public void write(long offset, int size, long value) {
      words[(int) offset / 4] = value;
    }
  }
}
