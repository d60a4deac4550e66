package dev.sluice.testkit.contract;

/// A refused access as the guest finds it.
///
/// @param page first I/O virtual address of the page that was refused
/// @param write whether it was a write, as far as the architecture says so
public record FaultReport(long page, boolean write) {}
