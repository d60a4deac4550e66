package dev.sluice.vfiouser.server;

import dev.sluice.host.Errno;
import dev.sluice.host.SystemCallException;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import dev.sluice.memory.RegionLimitException;
import dev.sluice.vfiouser.transport.Attachment;
import dev.sluice.vfiouser.transport.SharedBytes;
import dev.sluice.vfiouser.wire.DmaMap;
import dev.sluice.vfiouser.wire.DmaUnmap;
import dev.sluice.vfiouser.wire.MalformedMessageException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Supplier;

/// DMA_MAP and DMA_UNMAP: the client's memory comes and goes.
final class MemoryMessages {
  private static final long LAST_ADDRESS = -1;

  private final GuestMemory memory;
  private final PeerMemory peer;
  private final Supplier<Completion> completions;

  /// @param peer the way to memory without a descriptor
  /// @param completions makes what an answer waits for
  MemoryMessages(GuestMemory memory, PeerMemory peer, Supplier<Completion> completions) {
    this.memory = memory;
    this.peer = peer;
    this.completions = completions;
  }

  /// Serves DMA_MAP. A range that is mapped already, even in the same way, is refused as the
  /// specification says: the descriptor may stand for other memory than before.
  void map(MemorySegment request, List<Attachment> attachments, Reply reply)
      throws MalformedMessageException {
    DmaMap.check(request);
    int flags = DmaMap.flags(request);
    long iova = DmaMap.iova(request);
    long size = DmaMap.size(request);
    if ((flags & ~(DmaMap.READABLE | DmaMap.WRITABLE)) != 0 || (flags & DmaMap.READABLE) == 0) {
      throw new MalformedMessageException(
          "DMA_MAP with flags 0x" + Integer.toHexString(flags) + ": 1 or 3 is needed");
    }
    if (size <= 0 || Long.compareUnsigned(iova + (size - 1), iova) < 0) {
      throw new MalformedMessageException("DMA_MAP of an impossible range " + range(iova, size));
    }
    if (attachments.size() > 1) {
      throw new MalformedMessageException("DMA_MAP with " + attachments.size() + " descriptors");
    }
    boolean writable = (flags & DmaMap.WRITABLE) != 0;
    try {
      if (attachments.isEmpty()) {
        memory.addMessageOnly(iova, size, writable, peer);
      } else {
        addShared(
            iova, attachments.getFirst().map(DmaMap.offset(request), size, writable), writable);
      }
    } catch (IllegalArgumentException e) {
      reply.refuse(Errno.EEXIST, "DMA_MAP of " + range(iova, size) + ": " + e.getMessage());
    } catch (RegionLimitException e) {
      reply.refuse(Errno.ENOSPC, "DMA_MAP of " + range(iova, size) + ": " + e.getMessage());
    } catch (SystemCallException e) {
      reply.refuse(e.errno(), "DMA_MAP of " + range(iova, size) + ": " + e.getMessage());
    } catch (IOException e) {
      reply.refuse(Errno.EIO, "DMA_MAP of " + range(iova, size) + ": " + e.getMessage());
    }
  }

  private void addShared(long iova, SharedBytes bytes, boolean writable) {
    boolean added = false;
    try {
      memory.addRam(iova, RamRegion.of(bytes.segment(), writable, bytes.lasting(), bytes.unmap()));
      added = true;
    } finally {
      if (!added) {
        bytes.unmap().run();
      }
    }
  }

  /// Serves DMA_UNMAP: removes every mapping that lies wholly in the range, as VFIO's type 1 IOMMU
  /// does; a vIOMMU in QEMU unmaps in chunks that know nothing of the mappings. The answer waits
  /// until no device can touch them any more.
  void unmap(MemorySegment request, Reply reply) throws MalformedMessageException {
    DmaUnmap.check(request);
    int flags = DmaUnmap.flags(request);
    long iova = DmaUnmap.iova(request);
    long size = DmaUnmap.size(request);
    boolean all = flags == DmaUnmap.ALL;
    if (flags != 0 && !all) {
      throw new MalformedMessageException(
          "DMA_UNMAP with flags 0x" + Integer.toHexString(flags) + ": 0 or 2 is needed");
    }
    if (all ? iova != 0 || size != 0 : size == 0) {
      throw new MalformedMessageException(
          (all ? "DMA_UNMAP of everything, and of " : "DMA_UNMAP of ") + range(iova, size));
    }
    // The end may be 2^64, so count with the last address.
    long last = all ? LAST_ADDRESS : iova + (size - 1);
    if (Long.compareUnsigned(last, iova) < 0) {
      throw new MalformedMessageException("DMA_UNMAP of an impossible range " + range(iova, size));
    }
    if (memory.cuts(iova, last)) {
      throw new MalformedMessageException(
          "DMA_UNMAP of " + range(iova, size) + " would cut a mapping in two");
    }
    Completion drained = completions.get();
    int removed = memory.remove(iova, last, drained);
    if (removed == 0 && !all) {
      reply.refuse(Errno.ENOENT, "DMA_UNMAP of " + range(iova, size) + ", where nothing is mapped");
      return;
    }
    peer.abort(iova, last);
    reply.succeed(DmaUnmap.putReply(reply.message(), request));
    if (!drained.isDone()) {
      reply.after(drained);
    }
  }

  /// Takes everything away from the device: the client has gone.
  void unmapAll() {
    memory.remove(0, LAST_ADDRESS, () -> {});
  }

  private static String range(long iova, long size) {
    return "0x" + Long.toUnsignedString(size, 16) + " bytes at 0x" + Long.toHexString(iova);
  }
}
