/// A vfio-user client that a test drives message by message.
///
/// It knows the protocol by itself: nothing of the server's own message layouts is used here, so
/// that a mistake in one of them cannot hide.
@NullMarked
package dev.sluice.testkit.vfiouser;

import org.jspecify.annotations.NullMarked;
