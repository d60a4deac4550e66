package dev.sluice.pci.nvme;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/// The NVM command set (NVMe 1.4, chapter 6): Flush, Write, Read, Compare, Write Zeroes, Dataset
/// Management.
final class IoCommands {
  static final int FLUSH = 0x00;
  static final int WRITE = 0x01;
  static final int READ = 0x02;
  static final int COMPARE = 0x05;
  static final int WRITE_ZEROES = 0x08;
  static final int DATASET_MANAGEMENT = 0x09;

  /// Every command of the set.
  static final Set<Integer> OPCODES =
      Set.of(FLUSH, WRITE, READ, COMPARE, WRITE_ZEROES, DATASET_MANAGEMENT);

  /// Those that change what later reads find.
  static final Set<Integer> CHANGING = Set.of(WRITE, WRITE_ZEROES, DATASET_MANAGEMENT);

  private static final int FORCE_UNIT_ACCESS = 1 << 30;

  /// What Write Zeroes writes at a time.
  private static final ByteBuffer ZEROES = ByteBuffer.allocateDirect(1 << 18).asReadOnlyBuffer();

  private static final System.Logger LOG = System.getLogger(IoCommands.class.getName());

  private final AtomicBoolean failureReported = new AtomicBoolean();
  private final Namespace namespace;
  private final BlockBackend backend;
  private final BlockMover mover;
  private final Counters counters;

  IoCommands(Namespace namespace, Counters counters) {
    this.namespace = namespace;
    this.backend = namespace.backend();
    this.counters = counters;
    mover = new BlockMover(backend);
  }

  /// Executes the command in `buffers`. From inside `run`.
  Status execute(Run run, CommandBuffers buffers) {
    SubmissionEntry entry = buffers.entry();
    if (entry.fused()) {
      return Status.INVALID_FIELD;
    }
    int id = entry.namespaceId();
    int opcode = entry.opcode();
    return switch (opcode) {
      case FLUSH -> id == Namespace.ALL || id == Namespace.ID ? flush() : Status.INVALID_NAMESPACE;
      case WRITE, READ, COMPARE, WRITE_ZEROES, DATASET_MANAGEMENT -> {
        if (id != Namespace.ID) {
          yield Status.INVALID_NAMESPACE;
        }
        yield opcode == DATASET_MANAGEMENT
            ? datasetManagement(run, buffers)
            : onBlocks(run, buffers, opcode);
      }
      default -> Status.INVALID_OPCODE;
    };
  }

  /// Whether a command waits for the host's disk, whatever the page cache has, or writes very much.
  boolean mayTakeLong(Run run, SubmissionEntry entry) {
    boolean forced = (entry.commandDword(12) & FORCE_UNIT_ACCESS) != 0;
    return switch (entry.opcode()) {
      case FLUSH, WRITE_ZEROES -> true;
      case WRITE -> forced || !run.features().writeCacheEnabled();
      case READ, COMPARE -> forced;
      default -> false;
    };
  }

  private Status flush() {
    try {
      backend.flush();
    } catch (IOException e) {
      return failed(Status.WRITE_FAULT, "flush", e);
    }
    counters.flushed();
    return Status.SUCCESS;
  }

  /// A command on the logical blocks that dwords 10 to 12 name.
  private Status onBlocks(Run run, CommandBuffers buffers, int opcode) {
    SubmissionEntry entry = buffers.entry();
    int control = entry.commandDword(12);
    long length = entry.transferLength();
    long blocks = length >>> Namespace.BLOCK_SHIFT;
    long first = entry.startingBlock();
    if (opcode != WRITE_ZEROES && length > DataPointer.MAX_TRANSFER) {
      return Status.INVALID_FIELD;
    }
    if (!namespace.contains(first, blocks)) {
      return Status.LBA_OUT_OF_RANGE;
    }
    boolean writes = opcode == WRITE || opcode == WRITE_ZEROES;
    if (writes && !backend.writable()) {
      return Status.NAMESPACE_WRITE_PROTECTED;
    }
    if (opcode != WRITE_ZEROES) {
      Status resolved = DataPointer.ofIoCommand(run, buffers, length);
      if (resolved != Status.SUCCESS) {
        return resolved;
      }
    }
    long position = first << Namespace.BLOCK_SHIFT;
    boolean forced = (control & FORCE_UNIT_ACCESS) != 0;
    return switch (opcode) {
      case WRITE, WRITE_ZEROES -> write(run, buffers, opcode == WRITE, position, length, forced);
      case READ -> read(run, buffers, position, length, forced);
      default -> compare(run, buffers, position, length, forced);
    };
  }

  private Status read(Run run, CommandBuffers buffers, long position, long length, boolean forced) {
    try {
      flushIf(forced);
      Status status = mover.toGuest(run.dma(), buffers, position);
      if (status == Status.SUCCESS) {
        counters.read(length);
      }
      return status;
    } catch (IOException e) {
      return failed(Status.UNRECOVERED_READ_ERROR, "read", e);
    }
  }

  private Status write(
      Run run, CommandBuffers buffers, boolean data, long position, long length, boolean forced) {
    try {
      Status status =
          data ? mover.fromGuest(run.dma(), buffers, position) : zero(run, position, length);
      if (status != Status.SUCCESS) {
        return status;
      }
      flushIf(forced || !run.features().writeCacheEnabled());
    } catch (IOException e) {
      return failed(Status.WRITE_FAULT, "write", e);
    }
    if (data) {
      counters.written(length);
    }
    return Status.SUCCESS;
  }

  private Status zero(Run run, long position, long length) throws IOException {
    for (long done = 0; done < length; ) {
      if (run.ended()) {
        return Status.ABORT_REQUESTED;
      }
      ByteBuffer part = ZEROES.duplicate();
      part.limit((int) Math.min(length - done, part.capacity()));
      int bytes = part.remaining();
      backend.write(position + done, part);
      done += bytes;
    }
    return Status.SUCCESS;
  }

  private Status compare(
      Run run, CommandBuffers buffers, long position, long length, boolean forced) {
    int half = CommandBuffers.BOUNCE / 2;
    MemorySegment bytes = buffers.bounceBytes();
    try {
      flushIf(forced);
      for (long done = 0; done < length; done += half) {
        int part = (int) Math.min(length - done, half);
        backend.read(position + done, buffers.bounce(part));
        if (run.dma().read(buffers.data(), done, bytes, half, part) != null) {
          return Status.DATA_TRANSFER_ERROR;
        }
        if (MemorySegment.mismatch(bytes, 0, part, bytes, half, half + part) >= 0) {
          return Status.COMPARE_FAILURE;
        }
      }
      return Status.SUCCESS;
    } catch (IOException e) {
      return failed(Status.UNRECOVERED_READ_ERROR, "compare", e);
    }
  }

  /// Dataset Management (NVMe 1.4, 6.7): every range is checked, and a deallocation handed to the
  /// backend as a hint; the other attributes tell of accesses to come and change nothing here.
  private Status datasetManagement(Run run, CommandBuffers buffers) {
    SubmissionEntry entry = buffers.entry();
    int ranges = (entry.commandDword(10) & 0xff) + 1;
    boolean deallocate = (entry.commandDword(11) & DatasetRange.DEALLOCATE) != 0;
    if (deallocate && !backend.writable()) {
      return Status.NAMESPACE_WRITE_PROTECTED;
    }
    long length = (long) ranges * DatasetRange.SIZE;
    Status resolved = DataPointer.ofIoCommand(run, buffers, length);
    if (resolved != Status.SUCCESS) {
      return resolved;
    }
    MemorySegment list = buffers.bounceBytes();
    if (run.dma().read(buffers.data(), 0, list, 0, length) != null) {
      return Status.DATA_TRANSFER_ERROR;
    }
    for (int i = 0; i < ranges; i++) {
      if (!DatasetRange.at(list, i).within(namespace)) {
        return Status.LBA_OUT_OF_RANGE;
      }
    }
    try {
      for (int i = 0; deallocate && i < ranges; i++) {
        DatasetRange range = DatasetRange.at(list, i);
        backend.deallocate(
            range.firstBlock() << Namespace.BLOCK_SHIFT, range.blocks() << Namespace.BLOCK_SHIFT);
      }
    } catch (IOException e) {
      return failed(Status.WRITE_FAULT, "deallocate", e);
    }
    return Status.SUCCESS;
  }

  private void flushIf(boolean needed) throws IOException {
    if (needed && backend.writable()) {
      backend.flush();
    }
  }

  /// Reports the first failure of the host's storage as a warning; a guest that tries again and
  /// again must not fill the log.
  private Status failed(Status status, String what, IOException e) {
    boolean first = failureReported.compareAndSet(false, true);
    LOG.log(
        first ? System.Logger.Level.WARNING : System.Logger.Level.DEBUG,
        "the image file failed a " + what,
        e);
    return status;
  }
}
