package dev.sluice.pci.nvme;

import dev.sluice.dma.ScatterGatherList;

/// The data pointer of a command: PRPs, or for an I/O command a scatter gather list (NVMe 1.4,
/// 4.2).
final class DataPointer {
  /// MDTS, as log2 of pages of 4 KiB.
  static final int MDTS = 7;

  /// The most bytes of one transfer, 512 KiB: bounds the lists that a command makes the controller
  /// read, and how long a worker is busy with it.
  static final int MAX_TRANSFER = 1 << (ControllerCapabilities.MIN_PAGE_SHIFT + MDTS);

  private static final int PRP = 0b00;
  private static final int RESERVED = 0b11;

  private DataPointer() {}

  /// Finds where an I/O command has its data and puts that into [CommandBuffers#data()]. Nothing is
  /// moved yet, so that a bad list moves nothing.
  ///
  /// @param length bytes of the transfer
  static Status ofIoCommand(Run run, CommandBuffers buffers, long length) {
    SubmissionEntry entry = buffers.entry();
    return switch (entry.dataPointerType()) {
      case PRP -> prps(run, buffers, length);
      case RESERVED -> Status.INVALID_FIELD;
      default -> sgl(run, buffers, length);
    };
  }

  /// As [#ofIoCommand] for an admin command, which has PRPs only: over PCIe, SGLs are not for admin
  /// commands (NVMe 1.4, 4.2).
  static Status ofAdminCommand(Run run, CommandBuffers buffers, long length) {
    return buffers.entry().dataPointerType() == PRP
        ? prps(run, buffers, length)
        : Status.INVALID_FIELD;
  }

  private static Status prps(Run run, CommandBuffers buffers, long length) {
    if (length > MAX_TRANSFER) {
      return Status.INVALID_FIELD;
    }
    SubmissionEntry entry = buffers.entry();
    return new PrpWalker(run.dma(), run.pageSize(), buffers.bounceBytes(), cleared(buffers))
        .walk(entry.prp1(), entry.prp2(), length);
  }

  private static Status sgl(Run run, CommandBuffers buffers, long length) {
    if (length > MAX_TRANSFER) {
      return Status.INVALID_FIELD;
    }
    SubmissionEntry entry = buffers.entry();
    return new SglWalker(run.dma(), buffers.bounceBytes(), cleared(buffers))
        .walk(new SglDescriptor(entry.prp1(), entry.prp2()), length);
  }

  private static ScatterGatherList cleared(CommandBuffers buffers) {
    buffers.data().clear();
    return buffers.data();
  }
}
