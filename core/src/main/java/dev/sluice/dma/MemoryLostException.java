package dev.sluice.dma;

/// The peer took the memory behind a [Mapping] away by force, for example by truncating the file
/// behind it.
public final class MemoryLostException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  MemoryLostException(Mapping mapping, Throwable cause) {
    super("the peer took the memory away: " + mapping, cause);
  }
}
