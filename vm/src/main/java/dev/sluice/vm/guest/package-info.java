/// A guest in this process: it programs the IOMMU and the NVMe controller through their registers
/// and through guest memory, in the order in which Linux does, without a VMM.
@NullMarked
package dev.sluice.vm.guest;

import org.jspecify.annotations.NullMarked;
