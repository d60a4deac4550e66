package dev.sluice.vm.kit.linux;

import dev.sluice.vm.kit.GuestKit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What a driver in the guest's user space needs beside its script: VFIO in the kernel, and perl
/// with the libraries that it is linked with.
///
/// Perl because it is small (7 MB in the initramfs), is in Debian's essential set, and can make any
/// system call.
public final class UserDriver {
  /// The container for IOMMUs of one type, and the driver for PCI functions.
  static final List<String> MODULES = List.of("vfio_iommu_type1", "vfio_pci");

  private static final String LIBRARIES = "usr/lib/x86_64-linux-gnu/";

  /// Where the program's header has its loader, and where the loader looks for libraries.
  private static final String LOADER = "lib64/ld-linux-x86-64.so.2";

  private static final String LIBRARY_FOLDER = "lib/x86_64-linux-gnu/";

  private UserDriver() {}

  /// Why no driver can run in the user space of the kit's guest, as a clause; empty when one can.
  public static Optional<String> obstacle(GuestKit kit) throws IOException {
    if (kit.perl().isEmpty()) {
      return Optional.of("the kit has no perl");
    }
    Optional<Path> folder = kit.kernel().modules();
    if (folder.isEmpty()) {
      return Optional.of("the kernel's modules were not found");
    }
    KernelModules modules = new KernelModules(folder.get(), kit::readModule);
    return MODULES.stream().allMatch(modules::has)
        ? Optional.empty()
        : Optional.of("the kernel has no VFIO");
  }

  /// Adds perl to an initramfs.
  ///
  /// @param root of the unpacked packages
  static void addTo(CpioArchive archive, Path root) throws IOException {
    archive.file("bin/perl", Files.readAllBytes(root.resolve("usr/bin/perl")), true);
    archive.file(LOADER, library(root, "ld-linux-x86-64.so.2"), true);
    for (String name : List.of("libc.so.6", "libm.so.6", "libcrypt.so.1")) {
      archive.file(LIBRARY_FOLDER + name, library(root, name), true);
    }
    archive.file(LIBRARIES + "perl-base/strict.pm", library(root, "perl-base/strict.pm"), false);
  }

  private static byte[] library(Path root, String name) throws IOException {
    return Files.readAllBytes(root.resolve(LIBRARIES).resolve(name));
  }
}
