package dev.sluice.pci;

import dev.sluice.dma.DmaContext;

/// What a function is plugged into: a virtual machine monitor at the end of a socket, or a platform
/// in this process.
public interface FunctionHost {
  /// The function's way to memory, with its requester id and, if it is behind one, its IOMMU.
  DmaContext dma();

  /// The function's way to interrupt the guest.
  Interrupts interrupts();

  /// A host made of its two parts.
  static FunctionHost of(DmaContext dma, Interrupts interrupts) {
    record Parts(DmaContext dma, Interrupts interrupts) implements FunctionHost {}
    return new Parts(dma, interrupts);
  }
}
