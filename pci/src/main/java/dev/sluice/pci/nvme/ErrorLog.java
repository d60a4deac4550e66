package dev.sluice.pci.nvme;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Deque;

/// The Error Information log (NVMe 1.4, 5.14.1.1): the last commands that failed, the latest first.
/// It outlasts resets.
///
/// ```
///  00h |  error count, 64 bits                                  |
///  08h |  status field, P |  ...  |  command id | submission queue id |
///  10h |  logical block address, 64 bits                        |
///  18h |  namespace id                                          |
/// ```
final class ErrorLog {
  /// How many entries are kept, ELPE + 1.
  static final int ENTRIES = 64;

  /// The command or queue identifier of an error that belongs to none.
  static final int NONE = 0xffff;

  private static final int ENTRY = 64;
  private static final short LOCATION_UNKNOWN = (short) 0xffff;

  private final Deque<Entry> entries = new ArrayDeque<>(ENTRIES);
  private long count;

  private record Entry(
      long count, int queueId, int commandId, Status status, long block, int namespaceId) {}

  /// Adds an entry; the oldest goes when there are too many.
  synchronized void add(int queueId, int commandId, Status status, long block, int namespaceId) {
    if (entries.size() == ENTRIES) {
      entries.removeLast();
    }
    entries.addFirst(new Entry(++count, queueId, commandId, status, block, namespaceId));
  }

  /// Adds an entry for a doorbell of `queueId` that cannot be meant.
  void doorbellRefused(int queueId) {
    add(queueId, NONE, Status.INVALID_FIELD, 0, 0);
  }

  /// How many errors there have been.
  synchronized long count() {
    return count;
  }

  /// The log page, 4096 bytes.
  synchronized byte[] page() {
    byte[] bytes = new byte[ENTRIES * ENTRY];
    ByteBuffer at = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int offset = 0;
    for (Entry entry : entries) {
      at.putLong(offset, entry.count);
      at.putShort(offset + 8, (short) entry.queueId);
      at.putShort(offset + 10, (short) entry.commandId);
      at.putShort(offset + 12, (short) entry.status.field());
      at.putShort(offset + 14, LOCATION_UNKNOWN);
      at.putLong(offset + 16, entry.block);
      at.putInt(offset + 24, entry.namespaceId);
      offset += ENTRY;
    }
    return bytes;
  }
}
