package dev.sluice.vm.kit;

/// Told what the kit is doing, for a progress line. Called in the thread that obtains the kit.
public interface KitProgress {
  /// Says nothing.
  KitProgress SILENT = new KitProgress() {};

  /// A stage began, such as `Downloading QEMU and a guest kernel`.
  default void stage(String text) {}

  /// How far the stage is.
  ///
  /// @param fraction from 0 to 1
  /// @param detail such as a file's name
  default void progress(double fraction, String detail) {}
}
