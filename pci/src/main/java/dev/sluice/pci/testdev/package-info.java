/// A device that does one DMA on command, for tests and for trying faults on a real driver.
@NullMarked
package dev.sluice.pci.testdev;

import org.jspecify.annotations.NullMarked;
