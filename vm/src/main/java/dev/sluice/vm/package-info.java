/// The platform as data, its ACPI tables, and the QEMU process that boots a guest on it.
@NullMarked
package dev.sluice.vm;

import org.jspecify.annotations.NullMarked;
