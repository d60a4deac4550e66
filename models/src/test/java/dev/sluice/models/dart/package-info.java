@NullMarked
package dev.sluice.models.dart;

import org.jspecify.annotations.NullMarked;
