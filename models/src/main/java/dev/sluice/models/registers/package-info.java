/// A bank of memory-mapped registers as declarations: name, offset, width, reset value, writable
/// bits and what a write sets off.
///
/// The bank does what is the same in every IOMMU: partial and straddling accesses, reserved bits,
/// and write-one-to-clear. Beside it is what else all models with registers need: the lock over
/// them, and the drain of a reset.
@NullMarked
package dev.sluice.models.registers;

import org.jspecify.annotations.NullMarked;
