/// What the tests of several models share.
@NullMarked
package dev.sluice.models;

import org.jspecify.annotations.NullMarked;
