package dev.sluice.testkit.dart;

/// What Linux's fault handler prints.
///
/// @param stream the stream's number
/// @param name the error by its name; `unknown` when not exactly one bit of the code is set that
///   Linux knows
/// @param iova the faulted address
public record AppleDartFault(int stream, String name, long iova) {}
