@NullMarked
package dev.sluice.testkit.spapr;

import org.jspecify.annotations.NullMarked;
