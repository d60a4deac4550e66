/// How the guest finds PCI functions, gives their registers addresses and receives their
/// interrupts: what firmware and a kernel's PCI core do.
@NullMarked
package dev.sluice.vm.guest.pci;

import org.jspecify.annotations.NullMarked;
