package dev.sluice.vm.kit.linux;

import dev.sluice.vm.kit.BenchmarkTool;
import dev.sluice.vm.kit.GuestKit;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Builds the initramfs of a boot: a static busybox, the drivers, the checks and their parameters.
///
/// ```
/// init                      mounts, loads modules, runs the checks, reports, powers off
/// bin/busybox
/// dev/console               for the kernel's first open, before devtmpfs
/// modules/order, *.ko       uncompressed, in the order of loading
/// sluice/*.sh, *.pl         the checks
/// sluice/parameters         what to check
/// sluice/test-device.regs   how to start the deliberate DMA
/// bin/perl, lib, lib64, usr for the checks that are a driver in user space
/// ```
///
/// It is written uncompressed: 3 MB, and 7 MB more with perl, which the guest's kernel copies
/// faster than it could unpack.
public final class GuestInitramfs {
  /// Modules that the checks need.
  private static final List<String> MODULES = List.of("nvme");

  private static final List<String> SCRIPTS =
      List.of("report.sh", "checks.sh", "test-device.sh", "unmap.sh", "unmap.pl");

  private final GuestKit kit;

  /// @param kit where the kernel's modules and busybox come from
  public GuestInitramfs(GuestKit kit) {
    this.kit = kit;
  }

  /// Writes the initramfs of one boot.
  ///
  /// @param file created or replaced
  /// @param parameters without a holder if there is an [UserDriver#obstacle]
  /// @throws IOException if a part cannot be read or the file cannot be written
  public void write(Path file, GuestParameters parameters)
      throws IOException, InterruptedException {
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16);
        CpioArchive archive = new CpioArchive(out)) {
      addPrograms(archive);
      archive.file("sluice/parameters", text(parameters.file()), false);
      archive.file("sluice/test-device.regs", text(parameters.registerFile()), false);
      List<String> modules = new ArrayList<>(MODULES);
      if (parameters.holder().isPresent()) {
        modules.addAll(UserDriver.MODULES);
        UserDriver.addTo(archive, kit.perl().orElseThrow());
      }
      addModules(archive, modules);
    }
  }

  /// Writes the initramfs of a benchmark: its script takes the place of the checks.
  ///
  /// ```
  /// sluice/bench.sh           the workloads
  /// bench/fio, *.so.*         fio and the libraries that it loads
  /// ```
  ///
  /// @param file created or replaced
  /// @throws IOException if a part cannot be read or the file cannot be written
  public void write(Path file, BenchParameters parameters, BenchmarkTool tool)
      throws IOException, InterruptedException {
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16);
        CpioArchive archive = new CpioArchive(out)) {
      addPrograms(archive);
      archive.file("sluice/bench.sh", resource("bench.sh"), false);
      archive.file("sluice/parameters", text(parameters.file()), false);
      String folder = BenchParameters.FOLDER.substring(1) + "/";
      archive.file(folder + "fio", Files.readAllBytes(tool.program()), true);
      for (Map.Entry<String, Path> library : tool.libraries().entrySet()) {
        archive.file(folder + library.getKey(), Files.readAllBytes(library.getValue()), true);
      }
      addModules(archive, MODULES);
    }
  }

  private void addPrograms(CpioArchive archive) throws IOException {
    archive.file("init", resource("init"), true);
    archive.file("bin/busybox", Files.readAllBytes(kit.busybox()), true);
    archive.characterDevice("dev/console", 5, 1);
    for (String script : SCRIPTS) {
      archive.file("sluice/" + script, resource(script), false);
    }
  }

  private void addModules(CpioArchive archive, List<String> names)
      throws IOException, InterruptedException {
    StringBuilder order = new StringBuilder();
    if (kit.kernel().modules().isPresent()) {
      KernelModules modules = new KernelModules(kit.kernel().modules().get(), kit::readModule);
      for (Map.Entry<String, byte[]> module : modules.closure(names).entrySet()) {
        archive.file("modules/" + module.getKey(), module.getValue(), false);
        order.append(module.getKey()).append('\n');
      }
    }
    archive.file("modules/order", text(order.toString()), false);
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = GuestInitramfs.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("the resource " + name + " is missing from this build");
      }
      return in.readAllBytes();
    }
  }

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
