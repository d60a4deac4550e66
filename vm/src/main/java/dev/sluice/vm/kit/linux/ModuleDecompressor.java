package dev.sluice.vm.kit.linux;

import java.io.IOException;
import java.nio.file.Path;

/// Reads a kernel module's file, which may be compressed.
@FunctionalInterface
interface ModuleDecompressor {
  /// The module's ELF image.
  byte[] read(Path file) throws IOException, InterruptedException;
}
