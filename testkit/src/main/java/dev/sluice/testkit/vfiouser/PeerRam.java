package dev.sluice.testkit.vfiouser;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Guest memory that a client shares no descriptor of, and how the client reads and writes the
/// messages about it.
public final class PeerRam {
  /// The two ways in which QEMU lays DMA_READ and DMA_WRITE out.
  public enum Layout {
    /// QEMU 11.1: a count of 8 bytes, data at 16, and a DMA_WRITE is answered with address and
    /// count.
    SPECIFIED,
    /// QEMU 10.2: a count of 4 bytes, data at 12, and a DMA_WRITE is answered with nothing.
    OLD_QEMU
  }

  private final Layout layout;
  private final long base;
  private final byte[] bytes;
  private final List<Integer> counts = new ArrayList<>();

  /// Zeros from the guest-physical address `base` on.
  public PeerRam(Layout layout, long base, int size) {
    this.layout = layout;
    this.base = base;
    this.bytes = new byte[size];
  }

  /// What the memory holds now.
  public byte[] bytes() {
    return bytes;
  }

  /// The number of bytes that each message so far was about.
  public List<Integer> counts() {
    return counts;
  }

  private int dataOffset() {
    return layout == Layout.SPECIFIED ? 16 : 12;
  }

  private int count(Message request) {
    int count = layout == Layout.SPECIFIED ? (int) request.u64(8) : request.u32(8);
    counts.add(count);
    return count;
  }

  private boolean reaches(long address, int count) {
    long offset = address - base;
    return offset >= 0 && offset + count <= bytes.length;
  }

  /// Returns the payload of the reply; null when there is no such memory.
  byte @Nullable [] read(Message request) {
    int count = count(request);
    if (!reaches(request.u64(0), count)) {
      return null;
    }
    byte[] reply = new byte[16 + count];
    System.arraycopy(request.bytes(0), 0, reply, 0, dataOffset());
    System.arraycopy(bytes, (int) (request.u64(0) - base), reply, dataOffset(), count);
    return reply;
  }

  /// Returns the payload of the reply; null when there is no such memory.
  byte @Nullable [] write(Message request) {
    int count = count(request);
    if (count > 0) {
      if (!reaches(request.u64(0), count)) {
        return null;
      }
      System.arraycopy(request.bytes(0), dataOffset(), bytes, (int) (request.u64(0) - base), count);
    }
    return layout == Layout.SPECIFIED
        ? new Payload().u64(request.u64(0)).u64(count).toBytes()
        : new byte[0];
  }
}
