package dev.sluice.vm.kit.linux;

/// A point that the guest passed.
///
/// @param name such as `disk-read`
/// @param uptimeSeconds since the guest's kernel started, by the guest's clock
public record GuestStage(String name, double uptimeSeconds) {}
