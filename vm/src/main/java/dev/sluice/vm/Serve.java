package dev.sluice.vm;

import dev.sluice.vm.kit.linux.GuestParameters;
import dev.sluice.vm.kit.qemu.AcpiTableFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// The platform behind its sockets, for a QEMU that somebody else starts.
///
/// The ACPI table that announces the IOMMU has to name the address that the guest's firmware will
/// give it, which is known only once it has. So the table is written with the address that this
/// platform usually gets; when a firmware chooses another, the table is corrected and the user told
/// to start again.
public final class Serve implements AutoCloseable {
  /// Where SeaBIOS puts the IOMMU's page on a q35 with this platform's functions and no others.
  private static final long USUAL_REGISTERS = 0xFEBF_E000L;

  private final RunFolder disks;
  private final SluiceDevices devices;
  private final DeviceSockets sockets;
  private final Path folder;
  private final Path table;
  private final BootOptions options;
  private final Consumer<String> events;
  private final Thread watcher;
  private volatile boolean closing;

  private Serve(
      BootOptions options,
      Path folder,
      Consumer<String> events,
      RunFolder disks,
      SluiceDevices devices,
      DeviceSockets sockets) {
    this.options = options;
    this.folder = folder;
    this.events = events;
    this.disks = disks;
    this.devices = devices;
    this.sockets = sockets;
    this.table = folder.resolve("dmar");
    this.watcher = Thread.ofPlatform().daemon().name("sluice-serve").unstarted(this::watch);
  }

  /// Opens the sockets, and writes the table if there is an IOMMU.
  ///
  /// @param options the disk, the IOMMU, the guest's memory and its invalidation policy count; the
  ///   rest is for a boot
  /// @param folder of the user's, where sockets and table go
  /// @param events told of clients that come and go, and of a corrected table, a sentence each;
  ///   from any thread
  public static Serve start(BootOptions options, Path folder, Consumer<String> events)
      throws BootException {
    if (!Files.isDirectory(folder)) {
      throw new BootException(
          "there is no folder " + folder, "Make it, or pass another with --sockets.");
    }
    RunFolder disks = RunFolder.create();
    try {
      DiskImage disk =
          options.disk().isPresent()
              ? DiskImage.open(options.disk().get())
              : DiskImage.create(disks.file("disk"));
      SluiceDevices devices = new SluiceDevices(options.iommu() == BootOptions.IommuKind.VTD, disk);
      return start(options, folder, events, disks, devices);
    } catch (BootException e) {
      disks.close();
      throw e;
    }
  }

  private static Serve start(
      BootOptions options,
      Path folder,
      Consumer<String> events,
      RunFolder disks,
      SluiceDevices devices)
      throws BootException {
    DeviceSockets sockets;
    try {
      sockets = DeviceSockets.open(devices, folder, events);
    } catch (BootException e) {
      devices.close();
      throw e;
    }
    Serve serve = new Serve(options, folder, events, disks, devices, sockets);
    try {
      if (devices.hasIommu()) {
        Files.write(serve.table, devices.dmarTable(USUAL_REGISTERS));
        serve.watcher.start();
      }
      return serve;
    } catch (IOException e) {
      serve.close();
      throw new BootException(
          "cannot write the ACPI table to " + folder + ": " + e.getMessage(),
          "Choose a folder that this user can write to with --sockets.",
          e);
    }
  }

  /// The words to add to a QEMU command line; the user adds a kernel or a disk to boot from.
  public List<String> qemuArguments() {
    List<String> words = new ArrayList<>();
    int mebibytes = options.memoryMib();
    words.addAll(List.of("-M", "q35,memory-backend=mem", "-m", mebibytes + "M", "-nodefaults"));
    words.add("-object");
    words.add("memory-backend-memfd,id=mem,size=" + mebibytes + "M,share=on");
    if (devices.hasIommu()) {
      words.add("-acpitable");
      words.add(new AcpiTableFile("DMAR", 1, "SLUICE", "SLUICEVM", table).option());
    }
    for (Map.Entry<Place, Path> socket : sockets.sockets().entrySet()) {
      words.add("-device");
      words.add(socket.getKey().behind(socket.getValue()).option(false));
    }
    return List.copyOf(words);
  }

  /// The words that the guest's kernel needs on its command line; empty without an IOMMU.
  public List<String> kernelArguments() {
    if (!devices.hasIommu()) {
      return List.of();
    }
    return GuestParameters.iommuArguments(
        GuestParameters.Iommu.VTD,
        options.invalidation() == BootOptions.Invalidation.STRICT
            ? GuestParameters.Invalidation.STRICT
            : GuestParameters.Invalidation.LAZY);
  }

  private void watch() {
    long told = USUAL_REGISTERS;
    try {
      while (!closing) {
        OptionalLong found = sockets.awaitIommuAddress(1, TimeUnit.SECONDS);
        if (found.isEmpty()) {
          continue;
        }
        sockets.forgetIommuAddress();
        if (found.getAsLong() != told) {
          told = found.getAsLong();
          Files.write(table, devices.dmarTable(told));
          events.accept(
              "the guest's firmware put the IOMMU at 0x%x, so the table in %s was corrected: start this QEMU again"
                  .formatted(told, folder));
        }
      }
    } catch (InterruptedException _) {
      // close() ends the watch.
    } catch (IOException e) {
      events.accept("the ACPI table could not be corrected: " + e.getMessage());
    }
  }

  /// Closes the sockets and removes what was written.
  @Override
  public void close() {
    closing = true;
    watcher.interrupt();
    sockets.close();
    devices.close();
    disks.close();
    try {
      Files.deleteIfExists(table);
    } catch (IOException e) {
      events.accept("the ACPI table could not be removed: " + e.getMessage());
    }
  }
}
