/// How messages and the file descriptors beside them travel: a UNIX socket, or queues in this
/// process.
@NullMarked
package dev.sluice.vfiouser.transport;

import org.jspecify.annotations.NullMarked;
