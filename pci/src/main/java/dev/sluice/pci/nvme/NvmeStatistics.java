package dev.sluice.pci.nvme;

/// What a controller has done since it was made, resets included.
///
/// @param reads read commands that succeeded
/// @param bytesRead bytes that these moved into guest memory
/// @param writes write commands that succeeded, without Write Zeroes
/// @param bytesWritten bytes that these moved out of guest memory
/// @param flushes flush commands that succeeded
/// @param ioCommands I/O commands that were completed, whatever their status
/// @param adminCommands admin commands that were completed, whatever their status
/// @param errors commands of either kind whose status was not success
/// @param resets controller resets, by CC.EN or from outside
public record NvmeStatistics(
    long reads,
    long bytesRead,
    long writes,
    long bytesWritten,
    long flushes,
    long ioCommands,
    long adminCommands,
    long errors,
    long resets) {}
