package dev.sluice.testkit.vfiouser;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/// Puts a payload together, field after field, little-endian.
public final class Payload {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /// An empty payload.
  public Payload() {}

  private Payload put(long value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      out.write((int) (value >>> (8 * i)));
    }
    return this;
  }

  /// Appends 16 bits.
  public Payload u16(int value) {
    return put(value, 2);
  }

  /// Appends 32 bits.
  public Payload u32(long value) {
    return put(value, 4);
  }

  /// Appends 64 bits.
  public Payload u64(long value) {
    return put(value, 8);
  }

  /// Appends bytes.
  public Payload bytes(byte... bytes) {
    out.writeBytes(bytes);
    return this;
  }

  /// Appends text and a NUL.
  public Payload text(String text) {
    out.writeBytes(text.getBytes(StandardCharsets.UTF_8));
    return put(0, 1);
  }

  /// What was put together.
  public byte[] toBytes() {
    return out.toByteArray();
  }
}
