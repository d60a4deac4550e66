package dev.sluice.pci.testdev;

import dev.sluice.pci.DwordRegisters;
import java.nio.ByteBuffer;
import java.util.List;

/// BAR 0: the registers of each channel, and from 1000h on the window with the first bytes that the
/// last operation of channel 0 read.
///
/// Registers are written as aligned dwords (a qword is two); a write of another size or alignment
/// is ignored. Reads may have any.
final class TestRegisters extends DwordRegisters {
  private final List<Channel> channels;

  /// @param channels those that fit before the window
  TestRegisters(List<Channel> channels) {
    this.channels = channels;
  }

  @Override
  protected int readDword(long offset) {
    return offset < TestDevice.WINDOW_OFFSET
        ? channel(offset).readDword((int) offset % TestDevice.CHANNEL_BYTES)
        : window((int) offset - TestDevice.WINDOW_OFFSET);
  }

  @Override
  protected void writeDword(long offset, int value) {
    if (offset < TestDevice.WINDOW_OFFSET) {
      channel(offset).writeDword((int) offset % TestDevice.CHANNEL_BYTES, value);
    }
  }

  private Channel channel(long offset) {
    return channels.get((int) offset / TestDevice.CHANNEL_BYTES);
  }

  private int window(int first) {
    ByteBuffer window = channels.getFirst().result().window();
    int dword = 0;
    for (int i = 0; i < Integer.BYTES && first + i < window.limit(); i++) {
      dword |= (window.get(first + i) & 0xff) << (8 * i);
    }
    return dword;
  }
}
