@NullMarked
package dev.sluice.models.vtd;

import org.jspecify.annotations.NullMarked;
