/// What a device author uses: a [dev.sluice.dma.DmaContext] to read and write guest memory,
/// mappings, scatter-gather lists.
///
/// Start with [dev.sluice.dma.DmaContext]. A refused access is a [dev.sluice.dma.TargetAbort], a
/// value; misuse is an exception.
@NullMarked
package dev.sluice.dma;

import org.jspecify.annotations.NullMarked;
