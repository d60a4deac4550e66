package dev.sluice.vfiouser.transport;

import java.lang.foreign.MemorySegment;

/// Memory of the client, mapped here.
///
/// @param segment the bytes, in a shared arena
/// @param unmap ends the mapping; to be run once, when nothing uses the bytes any more
public record SharedBytes(MemorySegment segment, Runnable unmap) {}
