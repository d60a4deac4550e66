package dev.sluice.testkit.contract;

/// A size of pages that a guest may map.
///
/// @param shift log2 of its bytes
/// @param iova an I/O virtual address from which on pages of the size may be mapped
public record PageSize(int shift, long iova) {}
