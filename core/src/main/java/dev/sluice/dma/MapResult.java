package dev.sluice.dma;

/// What [DmaContext#map] gives: memory, or the reason why there is none.
public sealed interface MapResult permits Mapping, TargetAbort {}
