/// A driver for NVMe controllers that does what Linux's does, in its order. Section numbers are
/// those of the NVM Express Base Specification 1.4.
///
/// Its register offsets, commands and data structures are its own, apart from the controller's.
@NullMarked
package dev.sluice.vm.guest.nvme;

import org.jspecify.annotations.NullMarked;
