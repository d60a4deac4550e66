/// What a real guest needs, obtained and cached: QEMU, a kernel and an initramfs.
@NullMarked
package dev.sluice.vm.kit;

import org.jspecify.annotations.NullMarked;
