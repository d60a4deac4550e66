/// The host's libc through `java.lang.foreign`: UNIX sockets that carry file descriptors, mapped
/// memory and eventfds.
///
/// A failed call is an exception that names the call, its arguments and errno. Exported to the
/// vfio-user transport and its test client only.
@NullMarked
package dev.sluice.host;

import org.jspecify.annotations.NullMarked;
