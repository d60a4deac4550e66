package dev.sluice.bench.jmh;

/// How many operations one round has, so that the clock and the call around it cost nothing: as in
/// `comparators.c`.
public final class Operations {
  private static final int SMALL = 4096;
  private static final int LARGE_BYTES = 16 << 10;
  private static final int BYTES_OF_A_ROUND = 4 << 20;

  private Operations() {}

  /// Operations of one round.
  ///
  /// @param bytes that an operation moves, up to 1 MiB
  public static int ofRound(int bytes) {
    return bytes > LARGE_BYTES ? BYTES_OF_A_ROUND / bytes : SMALL;
  }
}
