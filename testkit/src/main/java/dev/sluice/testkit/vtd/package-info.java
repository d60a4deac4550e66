/// A guest's side of VT-d: tables and invalidations by numbers of the specification, in code that
/// shares nothing with the model.
@NullMarked
package dev.sluice.testkit.vtd;

import org.jspecify.annotations.NullMarked;
