package dev.sluice.vm.kit.linux;

/// A range of the disk that the guest says it has written and flushed.
///
/// @param offset first byte
/// @param bytes length
/// @param sha256 of what it wrote, 64 lower-case hexadecimal digits
public record WrittenRange(long offset, long bytes, String sha256) {}
