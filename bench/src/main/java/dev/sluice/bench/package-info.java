/// What an access, a mapping and an invalidation cost through the public API, each measured beside
/// what it is compared with, in the same run.
@NullMarked
package dev.sluice.bench;

import org.jspecify.annotations.NullMarked;
