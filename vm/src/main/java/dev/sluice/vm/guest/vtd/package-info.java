/// A driver for Intel VT-d in legacy mode that does what Linux's intel-iommu driver does, in its
/// order. Section numbers are those of the VT-d specification, revision 4.1.
///
/// Its register offsets, table entries and descriptors are its own, apart from the model's: a slip
/// in a layout on either side shows, because the two no longer understand each other.
@NullMarked
package dev.sluice.vm.guest.vtd;

import org.jspecify.annotations.NullMarked;
