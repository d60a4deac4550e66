@NullMarked
package dev.sluice.models.spapr;

import org.jspecify.annotations.NullMarked;
