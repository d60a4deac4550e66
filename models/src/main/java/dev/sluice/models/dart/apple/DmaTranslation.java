package dev.sluice.models.dart.apple;

import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Invalidator;
import dev.sluice.iommu.Iotlb;
import dev.sluice.iommu.Translation;
import dev.sluice.iommu.Translation.Page;
import dev.sluice.memory.Access;
import dev.sluice.memory.Ram;
import dev.sluice.models.dart.apple.Streams.Control;
import dev.sluice.models.walk.TableMemory;

/// What becomes of a request that the IOTLB did not answer.
///
/// Runs on the device's thread, takes no lock and blocks on nothing. Every ticket is taken before
/// the first register or table it stands for is read, so that nothing read before an invalidation
/// is cached or bound after it.
final class DmaTranslation {
  /// The bits of an address space's tag that are the stream; [#BYPASS] tells its two spaces apart.
  static final long STREAM = 0xFF;

  /// Set in the tag of the addresses that go past the tables.
  private static final long BYPASS = 0x100;

  /// log2 of what the IOTLB keeps best.
  private static final int PIECE_SHIFT = 12;

  private static final int LARGE_PAGE_SHIFT = 21;

  private static final int THREE_LEVEL_WIDTH = 36;

  private final AppleDartConfig config;
  private final Streams streams;
  private final TableMemory tables;
  private final DartEntry format;
  private final Invalidator invalidator;
  private final AppleDartCounters counters;

  DmaTranslation(
      AppleDartConfig config,
      Streams streams,
      TableMemory tables,
      Invalidator invalidator,
      AppleDartCounters counters) {
    this.config = config;
    this.streams = streams;
    this.tables = tables;
    this.format = DartEntry.of(config);
    this.invalidator = invalidator;
    this.counters = counters;
  }

  /// The stream that a requester is wired to, or -1; also for a request with a PASID, which a DART
  /// knows nothing of.
  int streamOf(Endpoint endpoint) {
    if (endpoint.pasid() != Endpoint.NO_PASID) {
      return -1;
    }
    int stream = config.streamOf().applyAsInt(endpoint.requester());
    return stream >= 0 && stream < streams.count() ? stream : -1;
  }

  Translation translate(Endpoint endpoint, long iova, Access access) {
    int incoming = streamOf(endpoint);
    if (incoming < 0) {
      return new Translation.Fault(AbortReason.BLOCKED, 0, false);
    }
    long bindTicket = endpoint.bindTicket();
    if (!streams.isEnabled(incoming)) {
      return ErrorCode.NO_TTBR.fault(config.type(), AbortReason.BLOCKED);
    }
    Control control = streams.controlFor(incoming);
    return switch (control.mode()) {
      case BLOCKED -> ErrorCode.NO_TTBR.fault(config.type(), AbortReason.BLOCKED);
      case BYPASSED -> bypass(endpoint, bindTicket, control.stream(), iova);
      case TRANSLATED -> translate(endpoint, bindTicket, control, iova, access);
    };
  }

  /// As [#translate], for a requester that is bound to its stream's tables and whose page is in
  /// RAM; leaves everything else to that.
  ///
  /// @return the 4 KiB around the address, all of which may be touched, as [Iotlb#walked]; or
  ///   [Iotlb#MISS]. An invalidation is of all pages of a stream, so it takes each part of a larger
  ///   page
  long walk(Endpoint endpoint, Iotlb space, long iova, Access access) {
    int incoming = streamOf(endpoint);
    if (incoming < 0 || !streams.isEnabled(incoming)) {
      return Iotlb.MISS;
    }
    Control control = streams.controlFor(incoming);
    if (control.mode() != Streams.Mode.TRANSLATED
        || control.stream() != space.tag()
        || iova >>> width(control) != 0) {
      return Iotlb.MISS;
    }
    long entry = descend(control, iova);
    if (!TableWalk.isLeaf(entry) || (~format.rights(entry) & access.rights()) != 0) {
      return Iotlb.MISS;
    }
    long piece = within(iova) & -(1L << PIECE_SHIFT);
    if (piece < format.first(entry) || piece + (1L << PIECE_SHIFT) > format.end(entry)) {
      return Iotlb.MISS;
    }
    long ram =
        tables.ramAddress(endpoint.memory(), format.address(entry) | piece, format.writable(entry));
    if (ram == Ram.NOWHERE || (ram & ((1L << PIECE_SHIFT) - 1)) != 0) {
      return Iotlb.MISS;
    }
    counters.walked();
    return Iotlb.walked(ram, format.rights(entry));
  }

  private Translation translate(
      Endpoint endpoint, long bindTicket, Control control, long iova, Access access) {
    int stream = control.stream();
    if (iova >>> width(control) != 0) {
      return ErrorCode.NO_TTBR.fault(config.type(), AbortReason.ADDRESS_WIDTH);
    }
    Iotlb space = invalidator.space(stream, endpoint);
    Page kept = endpoint.space() == space ? null : space.lookup(iova);
    if (kept != null && kept.allows(access)) {
      // The requester was bound elsewhere: what the TLB holds still counts.
      endpoint.bind(space, bindTicket);
      return kept;
    }
    long[] tickets = tickets(space, iova);
    counters.walked();
    long walk = descend(control, iova);
    if (!TableWalk.isLeaf(walk)) {
      return TableWalk.code(walk).fault(config.type());
    }
    Translation found = leaf(walk, stream, iova, access);
    if (found instanceof Page page) {
      insert(space, page, tickets);
      endpoint.bind(space, bindTicket);
    }
    return found;
  }

  /// Bits of an address that a stream's tables decode.
  private int width(Control control) {
    return isOfOneTable() && !control.fourLevels()
        ? Math.min(config.inputWidth(), THREE_LEVEL_WIDTH)
        : config.inputWidth();
  }

  private boolean isOfOneTable() {
    return config.type() == DartType.T8110;
  }

  /// @param iova which the tables decode
  /// @return a [TableWalk]
  private long descend(Control control, long iova) {
    long index = isOfOneTable() ? 0 : iova >>> (config.pageShift() + 2 * config.indexBits());
    long top = streams.table(control.stream(), index);
    return top == Streams.NO_TABLE
        ? TableWalk.stop(ErrorCode.NO_TTBR)
        : TableWalk.from(top, control.fourLevels() ? 3 : 2, iova, config, format, tables);
  }

  /// The part of an address that the tables do not decode.
  private long within(long iova) {
    return iova & ((1L << config.pageShift()) - 1);
  }

  /// The outcome of an entry of the last level: the largest piece around the address that may be
  /// touched as a whole.
  private Translation leaf(long entry, int stream, long iova, Access access) {
    if (access.reads() && !format.readable(entry)) {
      return ErrorCode.READ_FAULT.fault(config.type());
    }
    if (access.writes() && !format.writable(entry)) {
      return ErrorCode.WRITE_FAULT.fault(config.type());
    }
    long within = within(iova);
    long first = format.first(entry);
    long end = format.end(entry);
    if (within < first || within >= end) {
      ErrorCode code = access.reads() ? ErrorCode.SUBPAGE_READ : ErrorCode.SUBPAGE_WRITE;
      return code.fault(config.type());
    }
    int shift = config.pageShift();
    while ((within & -(1L << shift)) < first || (within & -(1L << shift)) + (1L << shift) > end) {
      shift--;
    }
    return new Page(
        iova & -(1L << shift),
        format.address(entry) | (within & -(1L << shift)),
        shift,
        format.readable(entry),
        format.writable(entry),
        stream);
  }

  /// A ticket for each 4 KiB of the page around an address.
  private long[] tickets(Iotlb space, long iova) {
    long[] tickets = new long[1 << (config.pageShift() - PIECE_SHIFT)];
    long page = iova & -(1L << config.pageShift());
    for (int i = 0; i < tickets.length; i++) {
      tickets[i] = space.ticket(page + ((long) i << PIECE_SHIFT));
    }
    return tickets;
  }

  /// Offers a page in pieces of 4 KiB. One that is smaller is not cached: the IOTLB has no word for
  /// it.
  private void insert(Iotlb space, Page page, long[] tickets) {
    for (long at = page.iova(); page.shift() >= PIECE_SHIFT && page.contains(at); ) {
      Page piece =
          new Page(
              at, page.translate(at), PIECE_SHIFT, page.readable(), page.writable(), page.tag());
      space.insert(piece, at, tickets[(int) (at >>> PIECE_SHIFT) & (tickets.length - 1)]);
      at += 1L << PIECE_SHIFT;
    }
  }

  private Page bypass(Endpoint endpoint, long bindTicket, int stream, long iova) {
    long tag = BYPASS | stream;
    Iotlb space = invalidator.space(tag, endpoint);
    long ticket = space.ticket(iova);
    long base = iova & -(1L << LARGE_PAGE_SHIFT);
    Page page = new Page(base, base, LARGE_PAGE_SHIFT, true, true, tag);
    space.insert(page, iova, ticket);
    endpoint.bind(space, bindTicket);
    return page;
  }
}
