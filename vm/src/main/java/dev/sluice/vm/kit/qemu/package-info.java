/// QEMU as a process: its command line, its start, what it says, and its end.
@NullMarked
package dev.sluice.vm.kit.qemu;

import org.jspecify.annotations.NullMarked;
