/// Walking radix page tables in guest memory: levels, index bits, large pages and reserved bits as
/// data that a model declares.
@NullMarked
package dev.sluice.models.walk;

import org.jspecify.annotations.NullMarked;
