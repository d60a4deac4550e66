package dev.sluice.vm.guest.machine;

/// What a driver of the in-process guest sees of its machine, and has to work with.
///
/// @param bus registers and configuration space
/// @param ram the guest's RAM
/// @param pages the pages of RAM that drivers may use
/// @param processor how drivers wait
/// @param log what drivers say
public record DriverView(
    Bus bus, Ram ram, PageAllocator pages, Processor processor, KernelLog log) {

  /// Where devices' interrupt messages go.
  public InterruptController interrupts() {
    return processor.interrupts();
  }
}
