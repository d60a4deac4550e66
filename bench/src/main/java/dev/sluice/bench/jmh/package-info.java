/// The loops that are timed, and the machine they run on.
///
/// Each loop has a twin in `src/main/c/comparators.c`: the same addresses in the same order
/// ([AddressStream]), the same number of operations a round ([Operations]), the same use of each
/// result. A loop keeps what does not change in local variables, as a compiler would have it.
@NullMarked
package dev.sluice.bench.jmh;

import org.jspecify.annotations.NullMarked;
