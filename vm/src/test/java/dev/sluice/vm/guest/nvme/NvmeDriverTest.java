package dev.sluice.vm.guest.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.iommu.RequesterId;
import dev.sluice.pci.nvme.FileBackend;
import dev.sluice.pci.nvme.NvmeConfig;
import dev.sluice.pci.nvme.NvmeController;
import dev.sluice.vm.guest.DriverBench;
import dev.sluice.vm.guest.dma.DmaMapper;
import dev.sluice.vm.guest.machine.Bus;
import dev.sluice.vm.guest.machine.DriverView;
import dev.sluice.vm.guest.machine.HardwareException;
import dev.sluice.vm.guest.machine.PageAllocator;
import dev.sluice.vm.guest.machine.Ram;
import dev.sluice.vm.guest.pci.PciDevice;
import dev.sluice.vm.guest.pci.PciScan;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NvmeDriverTest {
  private static final int BYTES = 4 << 20;

  @TempDir private Path folder;

  private final byte[] content = new byte[BYTES];
  private final DriverBench guest = new DriverBench();
  private final Wire wire = new Wire(guest.machine().bus());
  private final DriverView machine =
      new DriverView(
          wire,
          guest.machine().ram(),
          guest.machine().pages(),
          guest.machine().processor(),
          guest.machine().log());
  private NvmeController controller;
  private PciDevice device;

  @BeforeEach
  void plug() throws Exception {
    new SplittableRandom(7).nextBytes(content);
    Path file = Files.write(folder.resolve("disk"), content);
    controller = new NvmeController(new NvmeConfig("TEST0001", 4, 2), FileBackend.open(file, true));
    guest.platform().plug(DriverBench.DISK, controller);
    device = PciScan.find(PciScan.run(wire), DriverBench.DISK);
  }

  @AfterEach
  void close() {
    guest.close();
    controller.close();
  }

  private NvmeDriver bind() throws HardwareException {
    return NvmeDriver.bind(machine, device, DmaMapper.direct());
  }

  @Test
  void unbindingGivesEveryPageBack() throws Exception {
    PageAllocator pages = machine.pages();
    int before = pages.available();
    NvmeDriver driver = bind();
    NvmeDisk disk = driver.disk();
    long[] buffer = pages.allocate(64);
    disk.read(0, buffer, 0, 64 * Ram.PAGE).await();
    pages.free(buffer);
    assertThat(pages.available()).isLessThan(before);

    driver.unbind();

    assertThat(pages.available()).isEqualTo(before);
    assertThat(machine.log().warnings()).isEmpty();
  }

  @Test
  void requestsOfOneTwoAndManyPagesReadWhatTheDiskHas() throws Exception {
    NvmeDisk disk = bind().disk();
    assertThat(disk.bytes()).isEqualTo(BYTES);
    for (int length : new int[] {512, 4096, 8192, 12288, disk.maxTransfer()}) {
      long[] pages = machine.pages().allocate(length / Ram.PAGE + 1);
      int offset = length == 512 ? 3584 : 512;

      disk.read(65536, pages, offset, length).await();

      for (int done = 0; done < length; done++) {
        int at = offset + done;
        byte[] one = new byte[1];
        machine.ram().read(pages[at / Ram.PAGE] + at % Ram.PAGE, one, 0, 1);
        assertThat(one[0]).isEqualTo(content[65536 + done]);
      }
      machine.pages().free(pages);
    }
  }

  @Test
  void aRequestThatTheControllerRefusesSaysSo() throws Exception {
    NvmeDisk disk = bind().disk();
    long[] pages = machine.pages().allocate(1);

    assertThatThrownBy(() -> disk.read(BYTES, pages, 0, 512).await())
        .isInstanceOf(HardwareException.class)
        .hasMessage("Read of 512 bytes at 4194304 failed with status 0/80");
  }

  @Test
  void aControllerThatFailsEndsTheWait() throws Exception {
    NvmeDisk disk = bind().disk();
    wire.failed = true;
    long[] pages = machine.pages().allocate(1);

    assertThatThrownBy(() -> disk.read(0, pages, 0, 512).await())
        .isInstanceOf(HardwareException.class)
        .hasMessageContaining("the controller has failed (CSTS 0x3) during Read in queue 1");
  }

  @Test
  void aControllerThatNeedsLargerPagesIsRefused() {
    wire.capabilities = 1L << 48;

    assertThatThrownBy(this::bind)
        .isInstanceOf(HardwareException.class)
        .hasMessageContaining("wants pages of more than 4 KiB");
  }

  @Test
  void theOrderIsThatOfLinux() throws Exception {
    NvmeDriver driver = bind();
    int bound = wire.written.size();
    driver.unbind();

    assertThat(wire.written.subList(0, bound))
        .startsWith(
            "CC 0", "AQA 1f001f", "ASQ", "ACQ", "CC 460000", "CC 460001", "SQ0", "CQ0", "SQ0")
        .doesNotContain("SQ1");
    assertThat(wire.written.subList(bound, wire.written.size()))
        .containsSubsequence("SQ0", "CQ0", "SQ0", "CQ0", "SQ0", "CQ0", "SQ0", "CQ0", "CC 464001");
  }

  /// Notes what is written to the controller's registers, and can say that it has failed.
  private static final class Wire implements Bus {
    private final Bus inner;
    private final List<String> written = new ArrayList<>();
    private boolean failed;
    private long capabilities;

    Wire(Bus inner) {
      this.inner = inner;
    }

    private long offset(long address) {
      return address - (inner.readConfig(DriverBench.DISK, 0x10, 4) & -4096);
    }

    @Override
    public long read(long address, int size) {
      long value = inner.read(address, size);
      return switch ((int) offset(address)) {
        case 0 -> value | capabilities;
        case 0x1C -> failed ? value | 2 : value;
        default -> value;
      };
    }

    @Override
    public void write(long address, int size, long value) {
      switch ((int) offset(address)) {
        case 0x14 -> written.add("CC " + Long.toHexString(value));
        case 0x24 -> written.add("AQA " + Long.toHexString(value));
        case 0x28 -> written.add("ASQ");
        case 0x30 -> written.add("ACQ");
        case 0x1000 -> written.add("SQ0");
        case 0x1004 -> written.add("CQ0");
        case 0x1008 -> written.add("SQ1");
        default -> {}
      }
      inner.write(address, size, value);
    }

    @Override
    public long readConfig(RequesterId function, int offset, int size) {
      return inner.readConfig(function, offset, size);
    }

    @Override
    public void writeConfig(RequesterId function, int offset, int size, long value) {
      inner.writeConfig(function, offset, size, value);
    }
  }
}
