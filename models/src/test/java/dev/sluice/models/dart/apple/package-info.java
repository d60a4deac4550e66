@NullMarked
package dev.sluice.models.dart.apple;

import org.jspecify.annotations.NullMarked;
