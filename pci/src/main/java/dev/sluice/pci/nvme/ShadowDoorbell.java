package dev.sluice.pci.nvme;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.TargetAbort;
import dev.sluice.memory.Word;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/// A doorbell that the guest keeps in its own memory, and the EventIdx beside it (NVMe 1.4, 5.7 and
/// figure 180): one dword each, of which the low 16 bits count.
///
/// The guest stores the new position in the shadow, and writes the doorbell register only if that
/// step passes the position in EventIdx. So a controller that is going to look at the shadow anyway
/// leaves EventIdx behind, and one that wants to be told sets it to the position it knows of.
///
/// ```
///  guest                                controller
///  store shadow                         store EventIdx
///  full fence                           full fence
///  load EventIdx: does it ask?          load shadow: has it moved?
/// ```
///
/// Each side stores before it loads, so at least one of them sees the other's store and no
/// submission is lost between the last look and the sleep.
///
/// Used by one thread at a time.
final class ShadowDoorbell {
  private static final int POSITION = 0xffff;

  private final long shadow;
  private final long eventIndex;
  private final Word loaded = new Word();

  /// @param shadow I/O virtual address of the shadow
  /// @param eventIndex I/O virtual address of the EventIdx
  ShadowDoorbell(long shadow, long eventIndex) {
    this.shadow = shadow;
    this.eventIndex = eventIndex;
  }

  /// The position that the last [#load], or [#arm], found. The guest's word: any 16 bits.
  int position() {
    return loaded.asInt() & POSITION;
  }

  /// Writes both, before the guest uses them.
  ///
  /// @return why guest memory refused it; null if it did not
  @Nullable TargetAbort initialise(DmaContext dma, int position) {
    TargetAbort abort = store(dma, shadow, position);
    return abort == null ? store(dma, eventIndex, position) : abort;
  }

  /// Looks at the shadow. What the guest wrote to memory before it is seen by later loads.
  ///
  /// @return why guest memory refused it; null if it did not
  @Nullable TargetAbort load(DmaContext dma) {
    return dma.load(shadow, Integer.BYTES, ByteOrder.LITTLE_ENDIAN, loaded);
  }

  /// Asks to be told when the guest goes on from `known`, and looks again, because it may have gone
  /// on before it could see that.
  ///
  /// @return why guest memory refused it; null if it did not
  @Nullable TargetAbort arm(DmaContext dma, int known) {
    TargetAbort abort = store(dma, eventIndex, known);
    if (abort != null) {
      return abort;
    }
    // Pairs with the guest's own between its store of the shadow and its load of EventIdx.
    VarHandle.fullFence();
    return load(dma);
  }

  private static @Nullable TargetAbort store(DmaContext dma, long iova, int position) {
    return dma.store(iova, Integer.BYTES, ByteOrder.LITTLE_ENDIAN, position);
  }
}
