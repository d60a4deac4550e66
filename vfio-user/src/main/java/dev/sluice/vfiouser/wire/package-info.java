/// The messages of vfio-user: one class a layout, read from and written to bytes, with every length
/// and flag of the peer checked.
@NullMarked
package dev.sluice.vfiouser.wire;

import org.jspecify.annotations.NullMarked;
