@NullMarked
package dev.sluice.vm.replay;

import org.jspecify.annotations.NullMarked;
