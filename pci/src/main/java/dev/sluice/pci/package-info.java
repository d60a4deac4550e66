/// A PCI function as its host sees it: configuration space with capabilities, BARs with their
/// handlers, MSI-X, and the connection to a DMA context and interrupt lines.
@NullMarked
package dev.sluice.pci;

import org.jspecify.annotations.NullMarked;
