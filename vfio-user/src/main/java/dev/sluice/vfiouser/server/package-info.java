/// A session with one client: negotiation, device and region requests, DMA maps and interrupts.
///
/// The client is trusted with nothing: a message that is malformed is answered with its errno, or
/// ends the session, and never the process.
@NullMarked
package dev.sluice.vfiouser.server;

import org.jspecify.annotations.NullMarked;
