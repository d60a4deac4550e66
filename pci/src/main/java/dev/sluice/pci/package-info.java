/// A PCI function as its host sees it: configuration space with capabilities, BARs with their
/// handlers, MSI-X, and the connection to a DMA context and interrupt lines.
///
/// A device author extends [PciEndpoint]; a server or a platform serves a [PciFunction] and
/// implements [FunctionHost] for it.
///
/// Configuration and BAR accesses come one at a time, from the thread that serves the guest, and
/// never block: a device that has work to do hands it to threads of its own. Interrupts may be
/// raised on any thread.
///
/// Section numbers are those of the PCI Express Base Specification 5.0 ("PCIe") and the PCI Local
/// Bus Specification 3.0 ("PCI").
@NullMarked
package dev.sluice.pci;

import org.jspecify.annotations.NullMarked;
