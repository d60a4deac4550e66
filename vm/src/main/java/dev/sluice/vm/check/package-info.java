/// What a boot's checks are, whichever guest makes them.
@NullMarked
package dev.sluice.vm.check;

import org.jspecify.annotations.NullMarked;
