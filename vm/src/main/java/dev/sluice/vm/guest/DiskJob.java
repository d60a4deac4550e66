package dev.sluice.vm.guest;

import dev.sluice.vm.guest.dma.DmaMapper;
import dev.sluice.vm.guest.machine.DriverView;
import dev.sluice.vm.guest.machine.HardwareException;
import dev.sluice.vm.guest.machine.Ram;
import dev.sluice.vm.guest.nvme.NvmeDisk;
import dev.sluice.vm.guest.nvme.NvmeDriver;
import dev.sluice.vm.guest.pci.PciDevice;
import dev.sluice.vm.kit.linux.DiskWrite;
import dev.sluice.vm.kit.linux.GuestParameters;
import dev.sluice.vm.kit.linux.WrittenRange;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.LongConsumer;

/// The disk's part of the job: found, read, written, unbound and bound again. One method a check;
/// each returns what was found or throws what was wrong.
final class DiskJob {
  /// Bytes of a request while the whole disk is read: so small that every address is used again and
  /// again, and a translation that should be gone is found out.
  private static final int WHOLE_DISK_BLOCK = 256 << 10;

  private final DriverView machine;
  private final PciDevice device;
  private final DmaMapper dma;
  private final GuestParameters parameters;
  private final List<Written> written = new ArrayList<>();
  private NvmeDriver driver;
  private NvmeDisk disk;
  private DiskContents contents;

  private record Written(DiskWrite write, String sha256) {}

  /// Binds the driver to the controller.
  ///
  /// @throws HardwareException when there is no working disk
  DiskJob(DriverView machine, PciDevice device, DmaMapper dma, GuestParameters parameters)
      throws HardwareException {
    this.machine = machine;
    this.device = device;
    this.dma = dma;
    this.parameters = parameters;
    if (device.classCode() != NvmeDriver.CLASS_CODE) {
      throw new HardwareException(
          "%s has class %06x, not that of an NVMe controller"
              .formatted(device, device.classCode()));
    }
    driver = NvmeDriver.bind(machine, device, dma);
    disk = driver.disk();
    contents = new DiskContents(machine, disk);
  }

  String found() throws HardwareException {
    if (disk.bytes() != parameters.disk().bytes()) {
      throw new HardwareException(
          "the disk has %d bytes, expected %d".formatted(disk.bytes(), parameters.disk().bytes()));
    }
    return "the disk at %s has %d bytes".formatted(device, disk.bytes());
  }

  String read(LongConsumer progress) throws HardwareException {
    // No more than was asked for: a controller may claim any size.
    long bytes = Math.min(disk.bytes(), parameters.disk().bytes());
    String sum = contents.sha256(0, bytes, WHOLE_DISK_BLOCK, progress);
    if (!sum.equals(parameters.disk().sha256())) {
      throw new HardwareException(
          "%d bytes have sha256 %s, expected %s".formatted(bytes, sum, parameters.disk().sha256()));
    }
    return "%d bytes have sha256 %s".formatted(bytes, sum);
  }

  String write() throws HardwareException {
    for (DiskWrite write : parameters.writes()) {
      byte[] data = dataFor(write);
      int block =
          write.mode() == DiskWrite.Mode.DIRECT
              ? Math.max(write.block(), disk.blockBytes())
              : disk.maxTransfer();
      contents.write(write.offset(), data, block);
      disk.flush();
      written.add(new Written(write, DiskContents.sha256(data)));
    }
    checkWritten();
    return written.size() + " ranges written, flushed and read back";
  }

  /// Bytes that depend on what the disk held before: so they are never there already, and the same
  /// disk gets the same bytes.
  private byte[] dataFor(DiskWrite write) {
    long seed = Long.parseUnsignedLong(parameters.disk().sha256().substring(0, 16), 16);
    byte[] data = new byte[write.bytes()];
    new SplittableRandom(seed + write.offset()).nextBytes(data);
    return data;
  }

  private void checkWritten() throws HardwareException {
    for (Written range : written) {
      DiskWrite write = range.write();
      String sum = contents.sha256(write.offset(), write.bytes(), write.block());
      if (!sum.equals(range.sha256())) {
        throw new HardwareException(
            "%d bytes at %d read back with sha256 %s, %s was written"
                .formatted(write.bytes(), write.offset(), sum, range.sha256()));
      }
    }
  }

  String rebind() throws HardwareException {
    String before = firstPage();
    driver.unbind();
    driver = NvmeDriver.bind(machine, device, dma);
    disk = driver.disk();
    contents = new DiskContents(machine, disk);
    String after = firstPage();
    if (!before.equals(after)) {
      throw new HardwareException(
          "the first %d bytes had sha256 %s, and %s after binding again"
              .formatted(Ram.PAGE, before, after));
    }
    checkWritten();
    return "unbound, bound again, same contents";
  }

  /// Has the controller complete a command that needs no memory mapped for it.
  String flush() throws HardwareException {
    disk.flush();
    return "the disk completed a flush";
  }

  private String firstPage() throws HardwareException {
    return contents.sha256(0, Ram.PAGE, Ram.PAGE);
  }

  /// What was written and flushed.
  List<WrittenRange> written() {
    return written.stream()
        .map(range ->
            new WrittenRange(range.write().offset(), range.write().bytes(), range.sha256()))
        .toList();
  }

  /// Shuts the controller down, as at power-off.
  String shutDown() throws HardwareException {
    driver.unbind();
    return "shut down";
  }
}
