package dev.sluice.vfiouser.wire;

import org.jspecify.annotations.Nullable;

/// What a message asks for (vfio-user, "Commands").
public enum Command {
  /// Agrees on version and capabilities; the first message.
  VERSION(1),
  /// Gives the server a range of guest memory.
  DMA_MAP(2),
  /// Takes ranges of guest memory back.
  DMA_UNMAP(3),
  /// Asks what the device is.
  DEVICE_GET_INFO(4),
  /// Asks about one region.
  DEVICE_GET_REGION_INFO(5),
  /// Asks for descriptors that stand for parts of a region.
  DEVICE_GET_REGION_IO_FDS(6),
  /// Asks about one interrupt index.
  DEVICE_GET_IRQ_INFO(7),
  /// Attaches, masks or fires interrupts.
  DEVICE_SET_IRQS(8),
  /// Reads a region.
  REGION_READ(9),
  /// Writes a region.
  REGION_WRITE(10),
  /// Server to client: reads guest memory.
  DMA_READ(11),
  /// Server to client: writes guest memory.
  DMA_WRITE(12),
  /// Resets the device.
  DEVICE_RESET(13),
  /// Writes several places of regions; only if the server offers it, and this one does not.
  REGION_WRITE_MULTI(15),
  /// Asks for or sets an optional feature, migration among them.
  DEVICE_FEATURE(16),
  /// Reads the state of a device that migrates.
  MIG_DATA_READ(17),
  /// Writes the state of a device that migrates.
  MIG_DATA_WRITE(18);

  private static final @Nullable Command[] BY_CODE = new Command[19];

  static {
    for (Command command : values()) {
      BY_CODE[command.code] = command;
    }
  }

  private final int code;

  Command(int code) {
    this.code = code;
  }

  /// The number in the header.
  public int code() {
    return code;
  }

  /// The command of that number.
  ///
  /// @return null when there is none
  public static @Nullable Command of(int code) {
    return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
  }
}
