/// A guest's side of Apple's DARTs: what Linux's drivers do, access for access and in their order,
/// by numbers of their own that share nothing with the models.
@NullMarked
package dev.sluice.testkit.dart;

import org.jspecify.annotations.NullMarked;
