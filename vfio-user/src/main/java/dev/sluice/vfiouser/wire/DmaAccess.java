package dev.sluice.vfiouser.wire;

import static dev.sluice.vfiouser.wire.Fields.U32;
import static dev.sluice.vfiouser.wire.Fields.U64;

import java.lang.foreign.MemorySegment;

/// DMA_READ and DMA_WRITE, server to client, and their replies (vfio-user, "VFIO_USER_DMA_READ"):
///
/// ```
///  16     24      32
///  | iova | count | data          as the specification says
///
///  16     24      28              as QEMU before 11.1 does
///  | iova | count | data | 4 bytes of nothing
/// ```
///
/// Both give the message the same size, so nothing in a request tells them apart; the reply to a
/// DMA_WRITE does: it has the 16 bytes of payload in the first layout and none in the second.
public final class DmaAccess {
  private static final long IOVA = Header.BYTES;
  private static final long COUNT = Header.BYTES + 8;
  private static final int BYTES = 16;

  /// Bytes of a message without data.
  public static final long SIZE_WITHOUT_DATA = Header.BYTES + BYTES;

  /// Which of the two layouts a client has.
  public enum Layout {
    /// A count of 8 bytes.
    SPECIFIED(Header.BYTES + 16),
    /// A count of 4 bytes.
    SHORT_COUNT(Header.BYTES + 12);

    private final long data;

    Layout(long data) {
      this.data = data;
    }

    /// Where the data starts in a message.
    public long data() {
      return data;
    }
  }

  private DmaAccess() {}

  /// The layout of the client that sent this reply to a DMA_WRITE, which is no error.
  public static Layout layoutOf(MemorySegment writeReply) {
    return writeReply.byteSize() >= SIZE_WITHOUT_DATA ? Layout.SPECIFIED : Layout.SHORT_COUNT;
  }

  /// Writes the fields of a request.
  ///
  /// @param count bytes to move
  /// @param withData whether that many bytes of data will follow, which the caller writes
  ///   afterwards
  public static void putRequest(
      MemorySegment message, Layout layout, long iova, long count, boolean withData) {
    message.set(U64, IOVA, iova);
    // A count below 2^32 has zeros in the upper half, which is where the second layout has its
    // data, written afterwards.
    message.set(U64, COUNT, count);
    if (withData && layout == Layout.SHORT_COUNT) {
      message.set(U32, layout.data + count, 0);
    }
  }

  /// Whether a reply to a DMA_READ, which is no error, has all the bytes that were asked for.
  public static boolean isWholeRead(MemorySegment reply, Layout layout, long iova, long count) {
    return reply.byteSize() >= SIZE_WITHOUT_DATA + count
        && reply.get(U64, IOVA) == iova
        && (layout == Layout.SPECIFIED
                ? reply.get(U64, COUNT)
                : Integer.toUnsignedLong(reply.get(U32, COUNT)))
            == count;
  }
}
