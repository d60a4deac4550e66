package dev.sluice.pci;

/// A function's way to interrupt its guest. Calls may come on any thread and do not block.
public interface Interrupts {
  /// Sends the message of `vector`, by MSI-X or MSI, whichever software enabled; without either,
  /// nothing happens.
  ///
  /// @param vector 0 to the number of the function's vectors - 1
  void signal(int vector);

  /// Drives the interrupt pin of a function that has one: level-triggered, `true` asserts it.
  void pin(boolean asserted);
}
