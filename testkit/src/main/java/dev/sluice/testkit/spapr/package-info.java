/// A pseries guest's side of its TCE tables, for the soak.
@NullMarked
package dev.sluice.testkit.spapr;

import org.jspecify.annotations.NullMarked;
