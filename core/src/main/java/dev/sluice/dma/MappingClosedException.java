package dev.sluice.dma;

/// A [Mapping], or another [MappedMemory], was used after its owner closed it. A defect of the
/// device.
public final class MappingClosedException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  MappingClosedException(MappedMemory mapping) {
    super("use after close: " + mapping);
  }
}
