/// An NVM Express controller with one namespace on a raw image file.
///
/// Register, command and status names are those of the NVM Express base and NVM command set
/// specifications, and each class cites the section that it implements.
@NullMarked
package dev.sluice.pci.nvme;

import org.jspecify.annotations.NullMarked;
