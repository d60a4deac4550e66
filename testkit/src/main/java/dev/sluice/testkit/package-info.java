/// Checks and builders that tests of several modules share.
///
/// Nothing here calls the code that it helps to test for an answer: a table builder sets bits by
/// the specification, so that an error of a walker cannot hide in its own tests.
@NullMarked
package dev.sluice.testkit;

import org.jspecify.annotations.NullMarked;
