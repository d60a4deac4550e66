package dev.sluice.vfiouser.server;

import dev.sluice.vfiouser.wire.Capabilities;
import dev.sluice.vfiouser.wire.MalformedMessageException;
import dev.sluice.vfiouser.wire.VersionMessage;
import java.lang.foreign.MemorySegment;

/// VERSION: the first message, which settles what both sides may send.
final class VersionMessages {
  private static final int MAJOR = 0;

  /// The highest minor version that is spoken. QEMU proposes 0 and takes no higher one, Cloud
  /// Hypervisor and SPDK propose 1.
  private static final int MINOR = 1;

  private static final Capabilities OURS = new Capabilities(Limits.MESSAGE_FDS, Limits.TRANSFER);

  private final PeerMemory peer;
  private boolean agreed;

  VersionMessages(PeerMemory peer) {
    this.peer = peer;
  }

  /// Whether the version is settled.
  boolean agreed() {
    return agreed;
  }

  /// Serves VERSION.
  void negotiate(MemorySegment request, Reply reply) throws MalformedMessageException {
    if (agreed) {
      throw new MalformedMessageException("VERSION for a second time");
    }
    int major = VersionMessage.major(request);
    if (major != MAJOR) {
      throw new MalformedMessageException("VERSION " + major + ", only " + MAJOR + " is spoken");
    }
    Capabilities theirs = VersionMessage.capabilities(request);
    int minor = Math.min(VersionMessage.minor(request), MINOR);
    peer.limitTransfer(theirs.maxTransfer());
    reply.succeed(VersionMessage.putReply(reply.message(), MAJOR, minor, OURS));
    agreed = true;
  }
}
