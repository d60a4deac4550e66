package dev.sluice.vm.kit.qemu;

/// Hears what the guest says while it says it. Each method is called by one thread at a time;
/// console and report have a thread each.
public interface QemuListener {
  /// Bytes of the console as they came, for a terminal. They are the guest's: show them only to a
  /// user who asked for the guest's terminal.
  default void console(byte[] bytes, int count) {}

  /// A line of the console, printable and of limited length.
  default void consoleLine(String line) {}

  /// Bytes of the second serial port.
  default void report(byte[] bytes, int count) {}
}
