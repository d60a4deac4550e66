@NullMarked
package dev.sluice.models.walk;

import org.jspecify.annotations.NullMarked;
