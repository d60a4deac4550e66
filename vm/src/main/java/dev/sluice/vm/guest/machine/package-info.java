/// What a guest has to work with: RAM, a bus, interrupts and time.
///
/// Nothing in here knows a device or an IOMMU model; the drivers above reach them as hardware is
/// reached.
@NullMarked
package dev.sluice.vm.guest.machine;

import org.jspecify.annotations.NullMarked;
