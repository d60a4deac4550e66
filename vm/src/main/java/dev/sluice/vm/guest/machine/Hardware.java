package dev.sluice.vm.guest.machine;

import dev.sluice.memory.GuestMemory;
import java.util.Optional;

/// The machine as firmware hands it to a kernel: all that the guest is told.
public interface Hardware {
  /// Registers and configuration space, for one thread at a time.
  Bus bus();

  /// The memory that holds the RAM.
  GuestMemory memory();

  /// Bytes of RAM; it begins at address 0.
  long ramBytes();

  /// Firmware's ACPI table about remapping hardware, without the 36 bytes of the header.
  Optional<byte[]> dmarTable();

  /// Where devices write their interrupt messages from now on.
  void interruptsTo(MessageSink sink);

  /// Receives message interrupts.
  @FunctionalInterface
  interface MessageSink {
    /// A device writes `data` to `address`. Any thread; must not block.
    void message(long address, int data);
  }
}
