package dev.sluice.dma;

import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.AccessSection;
import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.Iotlb;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.Ram;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Copies, fills and checks of any length, whatever lies in their way: cut into sections, and
/// within one page by page.
final class Transfers {
  /// What stands for the other side of a transfer that has none.
  static final MemorySegment NOTHING = MemorySegment.NULL;

  private final DmaContext context;
  private final GuestMemory memory;
  private final Ram ram;
  private final Endpoint endpoint;
  private final @Nullable Iommu iommu;
  private final Translations translations;

  Transfers(
      DmaContext context, GuestMemory memory, @Nullable Iommu iommu, Translations translations) {
    this.context = context;
    this.memory = memory;
    this.iommu = iommu;
    this.translations = translations;
    ram = memory.ram();
    endpoint = context.endpoint();
  }

  /// Moves `length` bytes between a list, from byte `skip` of it on, and `other`, from `offset` on.
  @Nullable TargetAbort moveList(
      TransferKind kind,
      ScatterGatherList list,
      long skip,
      MemorySegment other,
      long offset,
      long length,
      byte value) {
    Objects.checkFromIndexSize(skip, length, list.totalLength());
    long done = 0;
    long runStart = 0;
    for (int i = 0; i < list.size() && done < length; i++) {
      long runLength = list.length(i);
      long within = skip + done - runStart;
      if (within < runLength) {
        long part = Math.min(runLength - within, length - done);
        TargetAbort abort = move(kind, list.iova(i) + within, other, offset + done, part, value);
        if (abort != null) {
          return abort.after(done);
        }
        done += part;
      }
      runStart += runLength;
    }
    return null;
  }

  /// Cuts a transfer into sections, and at the end of the address space.
  @Nullable TargetAbort move(
      TransferKind kind, long iova, MemorySegment other, long offset, long length, byte value) {
    long possible = untilTheEnd(iova, length);
    for (long done = 0; done < possible; ) {
      long part = Math.min(possible - done, DmaContext.SECTION_BYTES);
      TargetAbort abort;
      if (iommu == null) {
        abort = moveDirect(kind, iova + done, other, offset + done, part, value);
      } else {
        AccessSection section = endpoint.enter(iova + done, iova + done + (part - 1));
        try {
          abort =
              moveSection(
                  iommu, kind, iova + done, other, offset + done, part, value, part == length);
        } finally {
          section.leave();
        }
      }
      if (abort != null) {
        return abort.after(done);
      }
      done += part;
    }
    return possible == length
        ? null
        : translations.abort(0, kind.access, AbortReason.ADDRESS_WRAP).after(possible);
  }

  /// How many of `length` bytes from `iova` on lie before 2^64.
  static long untilTheEnd(long iova, long length) {
    long toTheEnd = -iova;
    return iova != 0 && Long.compareUnsigned(toTheEnd, length) < 0 ? toTheEnd : length;
  }

  /// Without an IOMMU. What keeps the bytes mapped meanwhile is the memory's own affair.
  private @Nullable TargetAbort moveDirect(
      TransferKind kind, long address, MemorySegment other, long offset, long length, byte value) {
    if (!context.mayRequest()) {
      return translations.abort(address, kind.access, AbortReason.BUS_MASTER_OFF);
    }
    return moveMemory(kind, address, address, other, offset, length, value);
  }

  /// Moves bytes by their guest-physical address.
  private @Nullable TargetAbort moveMemory(
      TransferKind kind,
      long iova,
      long address,
      MemorySegment other,
      long offset,
      long length,
      byte value) {
    long moved =
        switch (kind) {
          case READ -> memory.read(address, other, offset, length);
          case WRITE, WRITE_BACK -> memory.write(address, other, offset, length);
          case FILL -> memory.fill(address, length, value);
          case CHECK_READ, CHECK_WRITE, CHECK_BOTH, CLAIM_WRITE, CLAIM_BOTH ->
              memory.reach(address, length, kind.access);
        };
    if (moved == length) {
      return null;
    }
    AbortReason why = Translations.reason(memory.statusAt(address + moved, kind.access));
    return translations.abort(iova + moved, kind.access, why).after(moved);
  }

  /// Within a section: page by page, from the cache as far as it goes.
  ///
  /// @param whole whether this section is the whole transfer
  @Nullable TargetAbort moveSection(
      Iommu by,
      TransferKind kind,
      long iova,
      MemorySegment other,
      long offset,
      long length,
      byte value,
      boolean whole) {
    if (!context.mayRequest()) {
      return translations.abort(iova, kind.access, AbortReason.BUS_MASTER_OFF);
    }
    for (long done = 0; done < length; ) {
      long at = iova + done;
      long inRam = moveInRam(by, kind, at, other, offset + done, length - done, value);
      if (inRam > 0) {
        done += inRam;
        continue;
      }
      switch (translations.translation(by, at, kind.access)) {
        case Translation.Page page -> {
          long run = Math.min(length - done, page.last() - at + 1);
          TargetAbort abort =
              moveMemory(kind, at, page.translate(at), other, offset + done, run, value);
          if (abort != null) {
            return abort.after(done);
          }
          done += run;
        }
        case Translation.Fault fault -> {
          return translations.refused(by, at, kind.access, fault, !kind.isCheck()).after(done);
        }
        case Translation.Interrupt _ -> {
          if (kind == TransferKind.WRITE && whole && isMessage(iova, length)) {
            by.interrupt(endpoint, iova, other.get(LITTLE_ENDIAN_INT, offset));
            return null;
          }
          return translations.abort(at, kind.access, AbortReason.INTERRUPT_RANGE).after(done);
        }
      }
    }
    return null;
  }

  /// Moves as many bytes as cached translations lead to, run of RAM by run; for the first page the
  /// model may walk.
  ///
  /// @return 0 when the first page is not found so, or its RAM is going
  private long moveInRam(
      Iommu by,
      TransferKind kind,
      long iova,
      MemorySegment other,
      long offset,
      long length,
      byte value) {
    Iotlb space = endpoint.space();
    int rights = kind.access.rights();
    long at = space == null ? Iotlb.MISS : endpoint.resolve(by, space, iova, kind.access);
    long done = 0;
    while (space != null && at != Iotlb.MISS && done < length) {
      long left = length - done;
      long run = GuestMemory.PAGE - ((iova + done) & (GuestMemory.PAGE - 1));
      long next = Iotlb.MISS;
      while (run < left && (next = space.find(iova + done + run, rights)) == at + run) {
        run += GuestMemory.PAGE;
      }
      if (run < left && next != Iotlb.MISS) {
        ram.touch(next);
      }
      run = Math.min(run, left);
      if (!moveRun(kind, at, other, offset + done, run, value)) {
        return done;
      }
      done += run;
      at = next;
    }
    return done;
  }

  private boolean moveRun(
      TransferKind kind, long at, MemorySegment other, long offset, long length, byte value) {
    return switch (kind) {
      case READ -> ram.read(at, other, offset, length);
      case WRITE, WRITE_BACK -> ram.write(at, other, offset, length);
      case FILL -> ram.fill(at, length, value);
      case CHECK_READ, CHECK_WRITE, CHECK_BOTH, CLAIM_WRITE, CLAIM_BOTH -> true;
    };
  }

  private static final ValueLayout.OfInt LITTLE_ENDIAN_INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /// An interrupt message is the write of one aligned doubleword, and nothing else (PCI 3.0, 6.8).
  static boolean isMessage(long iova, long length) {
    return length == Integer.BYTES && (iova & (Integer.BYTES - 1)) == 0;
  }
}
