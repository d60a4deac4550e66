package dev.sluice.cli;

import dev.sluice.vm.BootException;
import dev.sluice.vm.BootOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/// What opens the sockets of a platform: [dev.sluice.vm.Serve], or a test's own.
@FunctionalInterface
interface Server {
  /// Opens them.
  ///
  /// @param folder where they go; exists
  /// @param events told what happens, a sentence each, by any thread
  Open open(BootOptions options, Path folder, Consumer<String> events) throws BootException;

  /// A platform that can be reached.
  interface Open extends AutoCloseable {
    /// What QEMU has to be told, a word each.
    List<String> qemuArguments();

    /// What the guest's kernel has to be told, a word each.
    List<String> kernelArguments();

    @Override
    void close();
  }
}
