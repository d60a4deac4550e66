package dev.sluice.bench.jmh;

import dev.sluice.dma.TargetAbort;
import org.jspecify.annotations.Nullable;

/// A refusal is fast, and would look like a good number: it fails the row.
final class Outcome {
  private Outcome() {}

  static void require(@Nullable TargetAbort abort) {
    if (abort != null) {
      throw new IllegalStateException(abort.toString());
    }
  }
}
