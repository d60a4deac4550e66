package dev.sluice.pci.nvme;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/// Get Log Page (NVMe 1.4, 5.14).
final class LogPages {
  static final int ERROR = 0x01;
  static final int HEALTH = 0x02;
  static final int FIRMWARE_SLOTS = 0x03;
  static final int CHANGED_NAMESPACES = 0x04;
  static final int COMMAND_EFFECTS = 0x05;

  private static final int RETAIN_EVENT = 1 << 15;
  private static final int LIST = 4096;

  private final Counters counters;
  private final ErrorLog errors;
  private boolean namespaceChanged;

  LogPages(Counters counters, ErrorLog errors) {
    this.counters = counters;
    this.errors = errors;
  }

  /// Remembers for the Changed Namespace List that the namespace has changed.
  synchronized void namespaceChanged() {
    namespaceChanged = true;
  }

  /// Executes the command in `buffers`. What is asked for beyond the end of a page reads as 0.
  Status get(Run run, CommandBuffers buffers) {
    SubmissionEntry entry = buffers.entry();
    int dword10 = entry.commandDword(10);
    int id = dword10 & 0xff;
    long dwords = ((entry.commandDword(11) & 0xffffL) << 16 | dword10 >>> 16) + 1;
    long offset =
        Integer.toUnsignedLong(entry.commandDword(12)) | (long) entry.commandDword(13) << 32;
    byte[] page = page(run, id);
    if (page == null) {
      return Status.INVALID_LOG_PAGE;
    }
    int namespace = entry.namespaceId();
    boolean ofController = namespace == 0 || namespace == Namespace.ALL;
    if ((id == HEALTH && !ofController) || offset % 4 != 0 || offset < 0 || offset > page.length) {
      return Status.INVALID_FIELD;
    }
    long length = dwords * 4;
    Status resolved = DataPointer.ofAdminCommand(run, buffers, length);
    if (resolved != Status.SUCCESS) {
      return resolved;
    }
    long present = Math.min(length, page.length - offset);
    MemorySegment bytes = MemorySegment.ofArray(page);
    if (run.dma().write(buffers.data(), 0, bytes, offset, present) != null
        || run.dma().fill(buffers.data(), present, length - present, (byte) 0) != null) {
      return Status.DATA_TRANSFER_ERROR;
    }
    if ((dword10 & RETAIN_EVENT) == 0) {
      read(run, id);
    }
    return Status.SUCCESS;
  }

  private byte @Nullable [] page(Run run, int id) {
    return switch (id) {
      case ERROR -> errors.page();
      case HEALTH -> HealthLog.page(counters, errors, run.features());
      case FIRMWARE_SLOTS -> firmwareSlots();
      case CHANGED_NAMESPACES -> changedNamespaces();
      case COMMAND_EFFECTS -> CommandEffects.page();
      default -> null;
    };
  }

  /// A page was read for good: further events of its type may be reported, and the changes have
  /// been seen.
  private synchronized void read(Run run, int id) {
    if (id == CHANGED_NAMESPACES) {
      namespaceChanged = false;
    }
    AsyncEvents.Type type = AsyncEvents.Type.ofLogPage(id);
    if (type != null) {
      run.events().unmask(type);
    }
  }

  /// Slot 1 is active and holds the only revision there is.
  private static byte[] firmwareSlots() {
    byte[] bytes = new byte[512];
    bytes[0] = 1;
    IdentifyController.firmwareRevision(ByteBuffer.wrap(bytes), 8);
    return bytes;
  }

  private synchronized byte[] changedNamespaces() {
    byte[] bytes = new byte[LIST];
    if (namespaceChanged) {
      ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(0, Namespace.ID);
    }
    return bytes;
  }
}
