package dev.sluice.dma;

/// A range needs a bounce mapping, and its context has no room for one now. Nothing was touched.
///
/// @param bytes how many the range has
/// @param most how many a range may have at most: a longer one never gets room, and has to be
///   mapped in parts
public record NoRoom(long bytes, long most) implements WholeResult {
  /// Whether [DmaContext#whenRoom] takes a request for so many bytes.
  public boolean isForNow() {
    return bytes <= most;
  }
}
