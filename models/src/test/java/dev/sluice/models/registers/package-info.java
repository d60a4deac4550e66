@NullMarked
package dev.sluice.models.registers;

import org.jspecify.annotations.NullMarked;
