/// The vfio-user server against a client that knows the protocol by itself: one class a message.
@NullMarked
package dev.sluice.testkit.vfiouser;

import org.jspecify.annotations.NullMarked;
