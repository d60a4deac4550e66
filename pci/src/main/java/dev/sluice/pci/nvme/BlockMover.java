package dev.sluice.pci.nvme;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.Mapping;
import dev.sluice.dma.MappingRevokedException;
import dev.sluice.dma.MemoryLostException;
import dev.sluice.dma.ScatterGatherList;
import dev.sluice.dma.TargetAbort;
import dev.sluice.iommu.AbortReason;
import dev.sluice.memory.Access;
import java.io.IOException;

/// Moves a command's data between the backend and the guest's memory: straight, where the memory
/// can be mapped, and through the bounce buffer where it is reached by messages only.
final class BlockMover {
  private final BlockBackend backend;

  BlockMover(BlockBackend backend) {
    this.backend = backend;
  }

  /// Fills the memory of [CommandBuffers#data()] from `position` of the backend on.
  ///
  /// @throws IOException if the backend fails
  Status toGuest(DmaContext dma, CommandBuffers buffers, long position) throws IOException {
    return move(dma, buffers, position, Access.WRITE);
  }

  /// Stores the memory of [CommandBuffers#data()] at `position` of the backend.
  ///
  /// @throws IOException if the backend fails
  Status fromGuest(DmaContext dma, CommandBuffers buffers, long position) throws IOException {
    return move(dma, buffers, position, Access.READ);
  }

  private Status move(DmaContext dma, CommandBuffers buffers, long position, Access access)
      throws IOException {
    ScatterGatherList data = buffers.data();
    long at = position;
    for (int run = 0; run < data.size(); run++) {
      long iova = data.iova(run);
      long left = data.length(run);
      while (left > 0) {
        long moved = moveSome(dma, buffers, at, iova, left, access);
        if (moved == 0) {
          return Status.DATA_TRANSFER_ERROR;
        }
        iova += moved;
        at += moved;
        left -= moved;
      }
    }
    return Status.SUCCESS;
  }

  /// Moves some of `length` bytes; 0 if guest memory refused the first of them.
  private long moveSome(
      DmaContext dma, CommandBuffers buffers, long position, long iova, long length, Access access)
      throws IOException {
    return switch (dma.map(iova, length, access)) {
      case Mapping mapping -> straight(mapping, position, access);
      case TargetAbort abort when abort.reason() == AbortReason.WOULD_BLOCK ->
          bounced(dma, buffers, position, iova, length, access);
      case TargetAbort _ -> 0;
    };
  }

  private long straight(Mapping mapping, long position, Access access) throws IOException {
    try (mapping) {
      int length = (int) mapping.length();
      if (access == Access.WRITE) {
        backend.read(position, mapping, 0, length);
      } else {
        backend.write(position, mapping, 0, length);
      }
      return length;
    } catch (MappingRevokedException | MemoryLostException e) {
      return 0;
    }
  }

  private long bounced(
      DmaContext dma, CommandBuffers buffers, long position, long iova, long length, Access access)
      throws IOException {
    int part = (int) Math.min(length, CommandBuffers.BOUNCE);
    if (access == Access.WRITE) {
      backend.read(position, buffers.bounce(part));
      return dma.write(iova, buffers.bounceBytes(), 0, part) == null ? part : 0;
    }
    if (dma.read(iova, buffers.bounceBytes(), 0, part) != null) {
      return 0;
    }
    backend.write(position, buffers.bounce(part));
    return part;
  }
}
