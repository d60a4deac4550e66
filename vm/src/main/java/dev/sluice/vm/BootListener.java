package dev.sluice.vm;

/// Told what a boot is doing while it does it. Calls come from several threads, one at a time for
/// each kind.
public interface BootListener {
  /// Says nothing.
  BootListener SILENT = new BootListener() {};

  /// A stage began.
  ///
  /// @param name as it will stand in [BootReport.Stage]
  default void stage(String name) {}

  /// How far the stage is.
  ///
  /// @param fraction 0 to 1, or negative when it cannot be known
  /// @param detail such as a file's name
  default void progress(double fraction, String detail) {}

  /// A line of the guest's console.
  default void console(String line) {}

  /// Something that a user should know, a sentence.
  default void note(String sentence) {}
}
