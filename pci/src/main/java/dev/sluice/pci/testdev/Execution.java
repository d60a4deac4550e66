package dev.sluice.pci.testdev;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.Mapping;
import dev.sluice.dma.MappingRevokedException;
import dev.sluice.dma.MemoryLostException;
import dev.sluice.dma.TargetAbort;
import dev.sluice.iommu.AbortReason;
import dev.sluice.memory.Word;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/// One operation on its way, on the device's own thread.
final class Execution {
  /// Bytes moved between two looks at whether the operation was cancelled.
  private static final int CHUNK = 64 * 1024;

  private final Job job;
  private final DmaContext dma;
  private final Hold hold;
  private final byte[] chunk = new byte[CHUNK];
  private final MemorySegment chunkBytes = MemorySegment.ofArray(chunk);
  private final CRC32 checksum = new CRC32();
  private final Word witness = new Word();
  private byte[] window = new byte[0];
  private long moved;

  /// How an operation waits while it holds mappings.
  interface Hold {
    /// Waits as long as the job says, or until it is released.
    void await(Job job);

    /// Whether the operation has to end as soon as it can.
    boolean cancelled();
  }

  Execution(Job job, Hold hold) {
    this.job = job;
    this.hold = hold;
    dma = job.host().dma();
  }

  Result run() {
    int i = 0;
    try {
      for (; i < job.count() && !hold.cancelled(); i++) {
        Result abort = job.holds() ? held(job.iova(i)) : access(job.iova(i));
        if (abort != null) {
          return abort;
        }
      }
    } catch (InternalError e) {
      // The file behind the memory was cut short; compiled code may hear of it a moment later.
      return result(AbortCode.of(AbortReason.MEMORY_FAILED), TargetAbort.NO_CODE, job.iova(i));
    }
    return result(AbortCode.NONE, 0, 0);
  }

  // --- without a mapping

  private @Nullable Result access(long iova) {
    return switch (job.operation()) {
      case READ, WRITE, FILL -> copy(iova);
      case FETCH_AND_ADD ->
          scalar(
              dma.fetchAndAdd(iova, job.length(), ByteOrder.LITTLE_ENDIAN, job.operand(), witness));
      case COMPARE_AND_EXCHANGE ->
          scalar(
              dma.compareAndExchange(
                  iova,
                  job.length(),
                  ByteOrder.LITTLE_ENDIAN,
                  job.compare(),
                  job.operand(),
                  witness));
      case CHECK_READ, CHECK_WRITE -> {
        TargetAbort abort = dma.check(iova, job.length(), job.operation().access());
        yield abort == null ? null : aborted(abort, 0);
      }
    };
  }

  private @Nullable Result scalar(@Nullable TargetAbort abort) {
    if (abort != null) {
      return aborted(abort, 0);
    }
    moved += job.length();
    return null;
  }

  private @Nullable Result copy(long iova) {
    for (int done = 0; done < job.length() && !hold.cancelled(); done += CHUNK) {
      int part = Math.min(job.length() - done, CHUNK);
      long at = iova + done;
      TargetAbort abort =
          switch (job.operation()) {
            case READ -> dma.read(at, chunkBytes, 0, part);
            case WRITE -> dma.write(at, pattern(done), 0, part);
            default -> dma.fill(at, part, (byte) job.seed());
          };
      if (abort != null) {
        if (job.operation() == Operation.READ) {
          take((int) abort.bytesMoved());
        }
        return aborted(abort, abort.bytesMoved());
      }
      if (job.operation() == Operation.READ) {
        take(part);
      }
      moved += part;
    }
    return null;
  }

  // --- through mappings

  private @Nullable Result held(long iova) {
    List<Mapping> mappings = new ArrayList<>();
    try {
      for (long mapped = 0; mapped < job.length(); ) {
        switch (dma.map(iova + mapped, job.length() - mapped, job.operation().access())) {
          case Mapping mapping -> {
            mappings.add(mapping);
            mapped += mapping.length();
          }
          case TargetAbort abort -> {
            return aborted(abort, 0);
          }
        }
      }
      hold.await(job);
      for (Mapping mapping : mappings) {
        Result abort = hold.cancelled() ? null : touch(mapping, mapping.iova() - iova);
        if (abort != null) {
          return abort;
        }
      }
      return null;
    } finally {
      mappings.forEach(Mapping::close);
    }
  }

  /// @param first which byte of the access the mapping begins with
  private @Nullable Result touch(Mapping mapping, long first) {
    long done = 0;
    try {
      for (; done < mapping.length(); done += CHUNK) {
        int part = (int) Math.min(mapping.length() - done, CHUNK);
        switch (job.operation()) {
          case READ -> {
            mapping.read(done, chunkBytes, 0, part);
            take(part);
          }
          case WRITE -> mapping.write(done, pattern(first + done), 0, part);
          default -> mapping.fill(done, part, (byte) job.seed());
        }
        moved += part;
      }
      return null;
    } catch (MappingRevokedException e) {
      return result(AbortCode.REVOKED, TargetAbort.NO_CODE, mapping.iova() + done);
    } catch (MemoryLostException e) {
      return result(
          AbortCode.of(AbortReason.MEMORY_FAILED), TargetAbort.NO_CODE, mapping.iova() + done);
    }
  }

  // --- what was read, what is written

  /// Takes the first `length` bytes of the chunk as read.
  private void take(int length) {
    checksum.update(chunk, 0, length);
    int room = TestDevice.WINDOW - window.length;
    if (room > 0) {
      int before = window.length;
      int more = Math.min(room, length);
      window = Arrays.copyOf(window, before + more);
      System.arraycopy(chunk, 0, window, before, more);
    }
  }

  /// The pattern from byte `first` of an access on.
  private MemorySegment pattern(long first) {
    for (int i = 0; i < CHUNK; i++) {
      chunk[i] = (byte) (job.seed() + first + i);
    }
    return chunkBytes;
  }

  private Result aborted(TargetAbort abort, long movedBefore) {
    moved += movedBefore;
    return result(AbortCode.of(abort.reason()), abort.faultCode(), abort.iova());
  }

  private Result result(int abortCode, int faultCode, long abortIova) {
    return new Result(
        moved,
        abortCode,
        faultCode,
        abortIova,
        (int) checksum.getValue(),
        witness.asLong(),
        ByteBuffer.wrap(window));
  }
}
