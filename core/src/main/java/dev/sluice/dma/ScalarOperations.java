package dev.sluice.dma;

import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.AccessSection;
import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.Iotlb;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.Ram;
import dev.sluice.memory.Word;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/// Loads, stores and atomic operations, whatever lies in their way.
final class ScalarOperations {
  /// What is done.
  enum Kind {
    LOAD,
    STORE,
    COMPARE_AND_EXCHANGE,
    FETCH_AND_ADD
  }

  /// Given to stores, which load nothing.
  static final Word UNUSED = new Word();

  private final DmaContext context;
  private final GuestMemory memory;
  private final Ram ram;
  private final Endpoint endpoint;
  private final @Nullable Iommu iommu;
  private final Translations translations;
  private final Transfers transfers;

  ScalarOperations(
      DmaContext context,
      GuestMemory memory,
      @Nullable Iommu iommu,
      Translations translations,
      Transfers transfers) {
    this.context = context;
    this.memory = memory;
    this.iommu = iommu;
    this.translations = translations;
    this.transfers = transfers;
    ram = memory.ram();
    endpoint = context.endpoint();
  }

  /// Does one.
  ///
  /// @param first the value to store, expected or to be added
  /// @param second the value that a comparison wants stored
  /// @param word receives what was there
  /// @return null if it was done
  @Nullable TargetAbort run(
      Kind kind,
      Access access,
      long iova,
      int bytes,
      ByteOrder order,
      long first,
      long second,
      Word word) {
    if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) {
      throw new IllegalArgumentException("a scalar has 1, 2, 4 or 8 bytes, not " + bytes);
    }
    if (Long.compareUnsigned(iova + (bytes - 1), iova) < 0) {
      return translations.abort(iova, access, AbortReason.ADDRESS_WRAP);
    }
    if (iommu == null) {
      return context.mayRequest()
          ? result(scalarMemory(kind, iova, bytes, order, first, second, word), iova, access)
          : translations.abort(iova, access, AbortReason.BUS_MASTER_OFF);
    }
    if (access == Access.READ_WRITE
        && DmaContext.isInPage(iova, bytes)
        && atomicCached(kind, iova, bytes, order, first, second, word)) {
      return null;
    }
    AccessSection section = endpoint.enter(iova, iova + (bytes - 1));
    try {
      return context.mayRequest()
          ? scalarSection(iommu, kind, access, iova, bytes, order, first, second, word)
          : translations.abort(iova, access, AbortReason.BUS_MASTER_OFF);
    } finally {
      section.leave();
    }
  }

  /// An atomic operation by a cached translation, in a section, like a write.
  private boolean atomicCached(
      Kind kind, long iova, int bytes, ByteOrder order, long first, long second, Word witness) {
    Iotlb space = endpoint.space();
    if (space == null) {
      return false;
    }
    AccessSection section = endpoint.enter(space.tag(), iova, iova + (bytes - 1));
    try {
      long at =
          context.mayUse(endpoint, space)
              ? space.find(iova, Access.READ_WRITE.rights())
              : Iotlb.MISS;
      return at != Iotlb.MISS && scalarRam(kind, at, bytes, order, first, second, witness);
    } finally {
      section.leave();
    }
  }

  /// Within a section.
  private @Nullable TargetAbort scalarSection(
      Iommu by,
      Kind kind,
      Access access,
      long iova,
      int bytes,
      ByteOrder order,
      long first,
      long second,
      Word word) {
    Iotlb space = endpoint.space();
    if (space != null && DmaContext.isInPage(iova, bytes)) {
      long at = endpoint.resolve(by, space, iova, access);
      if (at != Iotlb.MISS && scalarRam(kind, at, bytes, order, first, second, word)) {
        return null;
      }
    }
    return switch (translations.translation(by, iova, access)) {
      case Translation.Page page ->
          Long.compareUnsigned(page.last() - iova, bytes - 1) < 0
              ? acrossPages(by, kind, access, iova, bytes, order, first, word)
              : result(
                  scalarMemory(kind, page.translate(iova), bytes, order, first, second, word),
                  iova,
                  access);
      case Translation.Fault fault -> translations.refused(by, iova, access, fault, true);
      case Translation.Interrupt _ -> {
        if (kind == Kind.STORE && Transfers.isMessage(iova, bytes)) {
          boolean little = order == ByteOrder.LITTLE_ENDIAN;
          by.interrupt(endpoint, iova, little ? (int) first : Integer.reverseBytes((int) first));
          yield null;
        }
        yield translations.abort(iova, access, AbortReason.INTERRUPT_RANGE);
      }
    };
  }

  /// @return false when it has to be done by address, if only to learn why it cannot be done
  private boolean scalarRam(
      Kind kind, long at, int bytes, ByteOrder order, long first, long second, Word word) {
    return switch (kind) {
      case LOAD -> ram.load(at, bytes, order, word);
      case STORE -> ram.store(at, bytes, order, first);
      case COMPARE_AND_EXCHANGE -> ram.compareAndExchange(at, bytes, order, first, second, word);
      case FETCH_AND_ADD -> ram.fetchAndAdd(at, bytes, order, first, word);
    };
  }

  private MemoryStatus scalarMemory(
      Kind kind, long address, int bytes, ByteOrder order, long first, long second, Word word) {
    return switch (kind) {
      case LOAD -> memory.load(address, bytes, order, word);
      case STORE -> memory.store(address, bytes, order, first);
      case COMPARE_AND_EXCHANGE ->
          memory.compareAndExchange(address, bytes, order, first, second, word);
      case FETCH_AND_ADD -> memory.fetchAndAdd(address, bytes, order, first, word);
    };
  }

  private @Nullable TargetAbort result(MemoryStatus status, long iova, Access access) {
    return status == MemoryStatus.OK
        ? null
        : translations.abort(iova, access, Translations.reason(status));
  }

  /// A load or store whose bytes lie in two pages, which need not be neighbours in memory. Within a
  /// section.
  private @Nullable TargetAbort acrossPages(
      Iommu by,
      Kind kind,
      Access access,
      long iova,
      int bytes,
      ByteOrder order,
      long value,
      Word word) {
    if (kind == Kind.COMPARE_AND_EXCHANGE || kind == Kind.FETCH_AND_ADD) {
      return translations.abort(iova, access, AbortReason.MISALIGNED);
    }
    byte[] buffer = new byte[bytes];
    MemorySegment segment = MemorySegment.ofArray(buffer);
    if (kind == Kind.LOAD) {
      TargetAbort abort =
          transfers.moveSection(by, TransferKind.READ, iova, segment, 0, bytes, (byte) 0, true);
      if (abort == null) {
        long loaded = 0;
        for (int i = 0; i < bytes; i++) {
          int place = order == ByteOrder.BIG_ENDIAN ? i : bytes - 1 - i;
          loaded = (loaded << 8) | (buffer[place] & 0xFF);
        }
        word.set(loaded);
      }
      return abort;
    }
    for (int i = 0; i < bytes; i++) {
      int place = order == ByteOrder.BIG_ENDIAN ? bytes - 1 - i : i;
      buffer[place] = (byte) (value >>> (8 * i));
    }
    return transfers.moveSection(by, TransferKind.WRITE, iova, segment, 0, bytes, (byte) 0, true);
  }
}
