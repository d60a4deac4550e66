/// Intel Virtualization Technology for Directed I/O (VT-d), legacy mode.
///
/// Register, table and fault names are those of the Intel VT-d architecture specification, and each
/// class cites the section that it implements.
@NullMarked
package dev.sluice.models.vtd;

import org.jspecify.annotations.NullMarked;
