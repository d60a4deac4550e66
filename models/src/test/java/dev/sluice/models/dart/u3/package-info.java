@NullMarked
package dev.sluice.models.dart.u3;

import org.jspecify.annotations.NullMarked;
