/// What both of Apple's DARTs share: invalidations that stand behind one busy bit.
///
/// The DARTs themselves are in [dev.sluice.models.dart.u3] (the bridges of the Power Mac G5) and
/// [dev.sluice.models.dart.apple] (Apple's own processors). They have the name in common, and
/// little else.
@NullMarked
package dev.sluice.models.dart;

import org.jspecify.annotations.NullMarked;
