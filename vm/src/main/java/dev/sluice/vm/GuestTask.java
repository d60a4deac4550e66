package dev.sluice.vm;

import dev.sluice.vm.kit.linux.GuestReportReader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// What a Linux guest is started with, and who hears its report.
///
/// @param kernelArguments words of the kernel's command line
/// @param initrd the initramfs
/// @param patience how long the guest may take from its start to its end
/// @param silence how long it may say nothing
/// @param listener hears the report while it grows
record GuestTask(
    List<String> kernelArguments,
    Path initrd,
    Duration patience,
    Duration silence,
    GuestReportReader.Listener listener) {
  GuestTask {
    kernelArguments = List.copyOf(kernelArguments);
  }
}
