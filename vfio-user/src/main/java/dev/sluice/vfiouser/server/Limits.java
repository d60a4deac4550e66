package dev.sluice.vfiouser.server;

import dev.sluice.vfiouser.wire.Header;

/// The most of everything that a client can make the server hold.
final class Limits {
  /// Bytes of data in one message. What the protocol assumes of a side that says nothing; QEMU's
  /// own limit too.
  static final int TRANSFER = 1 << 20;

  /// Bytes of one message: the data, and the largest fields beside it.
  static final int MESSAGE = Header.BYTES + 32 + TRANSFER;

  /// Descriptors in one message. QEMU refuses a server that offers more, and Cloud Hypervisor sends
  /// 16 without asking.
  static final int MESSAGE_FDS = 16;

  /// Commands that may wait for an earlier one's reply. QEMU has a few in flight; posted writes of
  /// a busy guest some hundred.
  static final int BACKLOG_MESSAGES = 1024;

  /// Bytes of such commands. When either limit is reached, nothing more is received until the reply
  /// has gone.
  static final long BACKLOG_BYTES = 4L << 20;

  /// Bytes that one message to the client asks it to read or write. Its reply must fit in a
  /// socket's send buffer, which is about 208 KiB by default: QEMU cuts a longer one off.
  static final int PEER_TRANSFER = 64 << 10;

  /// Requests to the client that wait for their replies.
  static final int PEER_REQUESTS = 64;

  /// Message writes that wait to be sent. They are interrupts, of which a guest's IOMMU has a
  /// handful, and equal ones become one.
  static final int POSTED_WRITES = 256;

  private Limits() {}
}
