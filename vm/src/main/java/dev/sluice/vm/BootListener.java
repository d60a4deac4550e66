package dev.sluice.vm;

import java.io.OutputStream;

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

  /// A line of the guest's console: printable, of limited length.
  default void console(String line) {}

  /// Bytes of the guest's console as they came, in an interactive boot only. They may hold whatever
  /// the guest likes, escape sequences too: they are for a terminal that its user gave to the
  /// guest.
  ///
  /// @param bytes valid during the call
  /// @param count how many of them, from the start
  default void terminal(byte[] bytes, int count) {}

  /// In an interactive boot, once the guest's checks are over: the user has the guest's shell.
  ///
  /// @param keys the input of the guest's console; to be flushed
  default void shell(OutputStream keys) {}

  /// Something that a user should know, a sentence.
  default void note(String sentence) {}
}
