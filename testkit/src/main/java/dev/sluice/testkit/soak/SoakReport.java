package dev.sluice.testkit.soak;

/// What a soak without a failure has done.
///
/// @param accesses by devices, uses of mappings included
/// @param refused those of them that were refused, rightly
/// @param mappings made
/// @param handedOver mappings used or closed by another thread than their maker's
/// @param revoked uses of a mapping that had been taken away
/// @param throughFiles uses of a mapping by the kernel
/// @param increments atomic additions and exchanges, each found in memory afterwards
/// @param remaps pages that changed hands
/// @param withdrawals times at which a whole region, large page or binding was taken away
/// @param invalidations waited for
public record SoakReport(
    long accesses,
    long refused,
    long mappings,
    long handedOver,
    long revoked,
    long throughFiles,
    long increments,
    long remaps,
    long withdrawals,
    long invalidations) {}
