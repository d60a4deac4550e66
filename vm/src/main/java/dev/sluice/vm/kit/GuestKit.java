package dev.sluice.vm.kit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What it takes to boot a guest: QEMU, a kernel, and what goes into its initramfs.
///
/// @param qemu for x86-64 guests
/// @param kernel for the guest
/// @param busybox a static x86-64 busybox; it runs in the guest, and on this machine unpacks
///   modules
/// @param perl the folder of Debian's perl and the libraries that it needs, unpacked, for a driver
///   in the guest's user space; empty where nothing of the kit came from Debian
public record GuestKit(
    QemuInstallation qemu, GuestKernel kernel, Path busybox, Optional<Path> perl) {
  /// Reads a kernel module, uncompressing `.ko.xz` with the kit's own busybox (the JDK has no xz)
  /// and `.ko.gz` and `.ko.zst` with this machine's programs.
  ///
  /// @return the module's ELF image
  /// @throws KitException if the program for its compression is missing
  public byte[] readModule(Path file) throws IOException, InterruptedException {
    String name = file.toString();
    if (name.endsWith(".xz")) {
      return new HostProgram(List.of(busybox.toString(), "xzcat", name)).bytes();
    }
    if (name.endsWith(".gz")) {
      return new HostProgram(List.of(busybox.toString(), "zcat", name)).bytes();
    }
    if (name.endsWith(".zst")) {
      Path zstd =
          HostProgram.find("zstd")
              .orElseThrow(() ->
                  new KitException(
                      "there is no zstd to uncompress " + file, "Install the package zstd."));
      return new HostProgram(List.of(zstd.toString(), "-dcq", name)).bytes();
    }
    return Files.readAllBytes(file);
  }
}
