package dev.sluice.vm.guest.vtd;

import dev.sluice.iommu.RequesterId;
import dev.sluice.vm.guest.machine.DriverView;
import dev.sluice.vm.guest.machine.HardwareException;
import dev.sluice.vm.guest.machine.Ram;

/// The root table and the context tables below it: which function has which address space (9.1,
/// 9.3).
///
/// ```
///  root entry, one a bus       63          12 |         0
///                              context table  |         P     second 8 bytes reserved
///  context entry, one a        63          12 |  3 2  1 0
///  device and function         second stage   |  TT FPD P
///                       high        23      8 |  2    0
///                                   domain id |  AW
/// ```
///
/// TT = 0: translate untranslated requests by the second-stage table. AW = levels - 2.
final class RootTable {
  private static final int ENTRY = 16;
  private static final long PRESENT = 1;
  private static final int DOMAIN_SHIFT = 8;

  private final DriverView machine;
  private final long root;

  /// An empty table.
  RootTable(DriverView machine) throws HardwareException {
    this.machine = machine;
    root = machine.pages().allocateZeroed();
  }

  /// Physical address of the root table.
  long address() {
    return root;
  }

  /// Gives a function an address space. The half with the present bit comes last.
  ///
  /// @param table physical address of the second-stage table's top
  void set(RequesterId function, int domain, long table, int levels) throws HardwareException {
    long entry = contextTable(function) + entryOffset(function);
    Ram ram = machine.ram();
    ram.store64(entry + Long.BYTES, (long) domain << DOMAIN_SHIFT | (levels - 2));
    ram.store64(entry, table | PRESENT);
  }

  /// Takes a function's address space away. The half with the present bit comes first.
  void clear(RequesterId function) throws HardwareException {
    long entry = contextTable(function) + entryOffset(function);
    machine.ram().store64(entry, 0);
    machine.ram().store64(entry + Long.BYTES, 0);
  }

  private static long entryOffset(RequesterId function) {
    return (long) (function.value() & 0xFF) * ENTRY;
  }

  private long contextTable(RequesterId function) throws HardwareException {
    long entry = root + (long) function.bus() * ENTRY;
    long found = machine.ram().load64(entry);
    if ((found & PRESENT) != 0) {
      return found & -Ram.PAGE;
    }
    long table = machine.pages().allocateZeroed();
    machine.ram().store64(entry, table | PRESENT);
    return table;
  }
}
