package dev.sluice.vm.guest.nvme;

import dev.sluice.vm.guest.dma.DmaBuffer;
import dev.sluice.vm.guest.dma.DmaDirection;
import dev.sluice.vm.guest.dma.DmaMapper;
import dev.sluice.vm.guest.machine.HardwareException;
import dev.sluice.vm.guest.machine.Ram;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A namespace as a block device: requests that are mapped for the controller while they last.
public final class NvmeDisk {
  private final int namespace;
  private final long bytes;
  private final int blockBytes;
  private final int maxTransfer;
  private final List<QueuePair> queues;
  private final PrpPool prps;
  private final DmaMapper dma;
  private int nextQueue;

  NvmeDisk(
      int namespace,
      long bytes,
      int blockBytes,
      int maxTransfer,
      List<QueuePair> queues,
      PrpPool prps,
      DmaMapper dma) {
    this.namespace = namespace;
    this.bytes = bytes;
    this.blockBytes = blockBytes;
    this.maxTransfer = maxTransfer;
    this.queues = List.copyOf(queues);
    this.prps = prps;
    this.dma = dma;
  }

  /// Size of the namespace.
  public long bytes() {
    return bytes;
  }

  /// Bytes of a logical block.
  public int blockBytes() {
    return blockBytes;
  }

  /// The most bytes of one request.
  public int maxTransfer() {
    return maxTransfer;
  }

  /// A request that the controller is working on.
  public final class Request {
    private final QueuePair queue;
    private final int command;
    private final String text;
    private final DmaBuffer data;
    private final @Nullable DmaBuffer list;

    private Request(
        QueuePair queue, int command, String text, DmaBuffer data, @Nullable DmaBuffer list) {
      this.queue = queue;
      this.command = command;
      this.text = text;
      this.data = data;
      this.list = list;
    }

    /// The physical addresses of the memory.
    public long[] pages() {
      return data.pages();
    }

    /// Waits for the end and takes the memory away from the controller.
    ///
    /// @throws HardwareException when the request fails or does not end
    public void await() throws HardwareException {
      Completion completion = queue.await(command);
      dma.unmap(data);
      if (list != null) {
        prps.free(list);
      }
      if (!completion.succeeded()) {
        throw new HardwareException(text + " failed with " + completion.statusText());
      }
    }
  }

  /// Starts to read blocks into memory.
  ///
  /// @param position first byte on the disk, a multiple of the block size
  /// @param pages physical addresses
  /// @param offset where in the first page the bytes go, a multiple of 4
  /// @param length bytes, a multiple of the block size that fits into the pages
  public Request read(long position, long[] pages, int offset, int length)
      throws HardwareException {
    return start(false, position, pages, offset, length);
  }

  /// Starts to write blocks from memory; parameters as for [#read].
  public Request write(long position, long[] pages, int offset, int length)
      throws HardwareException {
    return start(true, position, pages, offset, length);
  }

  private Request start(boolean write, long position, long[] pages, int offset, int length)
      throws HardwareException {
    if (length <= 0
        || length > maxTransfer
        || length % blockBytes != 0
        || position % blockBytes != 0
        || (long) pages.length * Ram.PAGE < offset + (long) length) {
      throw new IllegalArgumentException(
          "%d bytes at %d into %d pages at %d".formatted(length, position, pages.length, offset));
    }
    QueuePair queue = queues.get(nextQueue);
    nextQueue = (nextQueue + 1) % queues.size();
    DmaBuffer data = dma.map(pages, write ? DmaDirection.TO_DEVICE : DmaDirection.FROM_DEVICE);
    DmaBuffer list = data.pageCount() > 2 ? prps.listOf(data) : null;
    long second =
        list != null ? list.busAddress(0) : data.pageCount() == 2 ? data.busAddress(1) : 0;
    Command command =
        Command.transfer(
            write,
            namespace,
            position / blockBytes,
            length / blockBytes,
            data.busAddress(0) + offset,
            second);
    String text = "%s of %d bytes at %d".formatted(command, length, position);
    return new Request(queue, queue.submit(command), text, data, list);
  }

  /// Makes everything written before non-volatile.
  public void flush() throws HardwareException {
    queues.getFirst().execute(Command.flush(namespace));
  }
}
