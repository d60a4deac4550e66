/// A pseries guest's side of its TCE tables: for the soak, and a driver that makes the calls of
/// Linux.
@NullMarked
package dev.sluice.testkit.spapr;

import org.jspecify.annotations.NullMarked;
