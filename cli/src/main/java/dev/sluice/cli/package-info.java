/// The commands. The only package that writes to standard output.
@NullMarked
package dev.sluice.cli;

import org.jspecify.annotations.NullMarked;
