package dev.sluice.vfiouser.server;

/// What a server's clients did with the function since the server was made.
///
/// @param barReads reads of a BAR; a guest's processor stands still for each
/// @param barWrites writes to a BAR, of which QEMU waits for none
/// @param configAccesses reads and writes of configuration space
/// @param interrupts messages that the function sent to its guest
public record ServerStatistics(
    long barReads, long barWrites, long configAccesses, long interrupts) {}
