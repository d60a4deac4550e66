package dev.sluice.vfiouser.transport;

import java.lang.foreign.MemorySegment;

/// Memory of the client, mapped here.
///
/// @param segment the bytes, in a shared arena
/// @param lasting whether they are there until the mapping ends, whatever the client does
/// @param unmap ends the mapping; to be run once, when nothing uses the bytes any more
public record SharedBytes(MemorySegment segment, boolean lasting, Runnable unmap) {}
