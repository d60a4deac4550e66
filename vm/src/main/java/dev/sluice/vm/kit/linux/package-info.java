/// The Linux guest's side of a boot: its initramfs with the checks that run in it, what they are
/// asked, and what they report.
///
/// The guest is not trusted: [dev.sluice.vm.kit.linux.GuestReport] is read from a serial line that
/// it controls, so every line, list and number in it has a cap.
@NullMarked
package dev.sluice.vm.kit.linux;

import org.jspecify.annotations.NullMarked;
