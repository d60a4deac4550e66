package dev.sluice.vm.guest;

import dev.sluice.vm.guest.machine.DriverView;
import dev.sluice.vm.guest.machine.HardwareException;
import dev.sluice.vm.guest.machine.Mmio;
import dev.sluice.vm.guest.pci.PciDevice;

/// A driver's view of one channel of the test device: writes of a page, which may hold it first.
///
/// The offsets stand here again, and not as the device's own names: a register that moves must
/// break a boot. `docs/devices.md` describes them.
final class TestDeviceChannel {
  /// A hold that lasts until [#release].
  static final int UNTIL_RELEASED = -1;

  /// The reason of a write whose mapping was taken away.
  static final int REVOKED = 32;

  private static final int CHANNEL_BYTES = 0x800;
  private static final int STATUS = 0x04;
  private static final int CONTROL = 0x08;
  private static final int OPERATION = 0x0C;
  private static final int IOVA = 0x10;
  private static final int LENGTH = 0x18;
  private static final int COUNT = 0x1C;
  private static final int HOLD = 0x24;
  private static final int SEED = 0x28;
  private static final int VECTOR = 0x2C;
  private static final int MOVED = 0x40;
  private static final int ABORT_REASON = 0x48;

  private static final int WRITE = 2;
  private static final int NO_VECTOR = -1;
  private static final int START = 1;
  private static final int RELEASE = 2;
  private static final int DONE = 2;
  private static final int HOLDING = 16;

  private final DriverView machine;
  private final Mmio registers;
  private final int base;

  /// @param index 0 or 1
  TestDeviceChannel(DriverView machine, PciDevice device, int index) throws HardwareException {
    this.machine = machine;
    registers = device.bar(0);
    base = index * CHANNEL_BYTES;
  }

  /// Starts to write bytes that count up from `seed`.
  ///
  /// @param hold microseconds for which the device holds its mapping before it writes, or
  ///   [#UNTIL_RELEASED]; 0 for no mapping
  void startWrite(long iova, int bytes, int seed, int hold) {
    set(OPERATION, WRITE);
    set(IOVA, (int) iova);
    set(IOVA + Integer.BYTES, (int) (iova >>> 32));
    set(LENGTH, bytes);
    set(COUNT, 1);
    set(HOLD, hold);
    set(SEED, seed);
    set(VECTOR, NO_VECTOR);
    set(CONTROL, START);
  }

  /// The bytes that a write leaves.
  static byte[] pattern(int bytes, int seed) {
    byte[] pattern = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      pattern[i] = (byte) (seed + i);
    }
    return pattern;
  }

  /// Ends the hold.
  void release() {
    set(CONTROL, RELEASE);
  }

  boolean isHolding() {
    return (get(STATUS) & HOLDING) != 0;
  }

  void awaitHolding() throws HardwareException {
    machine.processor().await("the test device did not hold its page", this::isHolding);
  }

  void awaitDone() throws HardwareException {
    machine
        .processor()
        .await("the test device's write did not end", () -> (get(STATUS) & DONE) != 0);
  }

  /// Bytes that the last write moved.
  int moved() {
    return get(MOVED);
  }

  /// Why the last write was aborted; 0 if it was not.
  int abortReason() {
    return get(ABORT_REASON);
  }

  private int get(int register) {
    return registers.read32(base + register);
  }

  private void set(int register, int value) {
    registers.write32(base + register, value);
  }
}
