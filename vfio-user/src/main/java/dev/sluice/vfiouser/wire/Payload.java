package dev.sluice.vfiouser.wire;

import java.lang.foreign.MemorySegment;

/// Checks that a payload is as long as its layout, before anything reads it.
final class Payload {
  private Payload() {}

  /// @param bytes what the layout needs after the header
  static void require(MemorySegment message, Command command, long bytes)
      throws MalformedMessageException {
    long there = message.byteSize() - Header.BYTES;
    if (there < bytes) {
      throw new MalformedMessageException(
          command + " has " + there + " bytes of payload, " + bytes + " are needed");
    }
  }

  /// @param argsz bytes of the largest reply that the client wants
  static void requireArgsz(long argsz, Command command, long bytes)
      throws MalformedMessageException {
    if (argsz < bytes) {
      throw new MalformedMessageException(
          command + " has argsz " + argsz + ", " + bytes + " are needed");
    }
  }
}
