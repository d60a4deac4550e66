package dev.sluice.dma;

/// What [DmaContext#mapWhole] gives: memory, the reason why it is refused, or that there is no room
/// for it now.
public sealed interface WholeResult permits MappedMemory, TargetAbort, NoRoom {}
