package dev.sluice.vm.guest;

import dev.sluice.vm.guest.dma.DmaBuffer;
import dev.sluice.vm.guest.dma.DmaDirection;
import dev.sluice.vm.guest.machine.DriverView;
import dev.sluice.vm.guest.machine.HardwareException;
import dev.sluice.vm.guest.machine.Ram;
import dev.sluice.vm.guest.pci.PciDevice;
import dev.sluice.vm.guest.vtd.VtdDomain;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/// A page is taken away from the test device while the device holds it, and given to somebody else.
/// One method a check; each returns what was found or throws what was wrong.
final class UnmapJob {
  private static final int HELD_SEED = 7;
  private static final int OTHER_SEED = 100;
  private static final byte OWNERS_BYTE = 0x55;

  private final DriverView machine;
  private final VtdDomain domain;
  private final TestDeviceChannel holder;
  private final TestDeviceChannel second;
  private final byte[] ownersBytes = new byte[Ram.PAGE];

  /// What else goes on while the unmap waits.
  @FunctionalInterface
  interface Meanwhile {
    /// Does it.
    ///
    /// @return what was done, as a clause
    /// @throws HardwareException when it does not go on
    String goOn() throws HardwareException;
  }

  /// @param device the test device
  /// @param domain its address space, which is flushed at each unmap
  UnmapJob(DriverView machine, PciDevice device, VtdDomain domain) throws HardwareException {
    this.machine = machine;
    this.domain = domain;
    device.enableMemory();
    device.busMaster(true);
    holder = new TestDeviceChannel(machine, device, 0);
    second = new TestDeviceChannel(machine, device, 1);
    Arrays.fill(ownersBytes, OWNERS_BYTE);
  }

  /// The device lets go when it is told to: the unmap is complete after that, and no sooner.
  String waits(Meanwhile meanwhile) throws HardwareException {
    long page = machine.pages().allocateZeroed();
    VtdDomain.Unmapping unmapping = takeAway(page);
    long called = System.nanoTime();
    String done = writeElsewhere() + " and " + meanwhile.goOn();
    if (unmapping.isComplete()) {
      giveToOwner(page);
      holder.release();
      holder.awaitDone();
      throw stillHeld(page);
    }
    holder.release();
    unmapping.await();
    long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - called);
    int unwritten = wrongBytes(page, TestDeviceChannel.pattern(Ram.PAGE, HELD_SEED));
    giveToOwner(page);
    holder.awaitDone();
    if (holder.abortReason() != 0) {
      throw new HardwareException(
          "the device's write was refused for reason " + holder.abortReason());
    }
    if (unwritten != 0) {
      throw new HardwareException(
          "when the unmap returned, the device had yet to write %d bytes".formatted(unwritten));
    }
    requireOwnersBytes(page);
    machine.pages().free(page);
    return "waited %d ms for the device; meanwhile %s".formatted(millis, done);
  }

  /// The device does not let go: the unmap is complete all the same, and the device is refused.
  String revokes() throws HardwareException {
    long page = machine.pages().allocateZeroed();
    VtdDomain.Unmapping unmapping = takeAway(page);
    long called = System.nanoTime();
    unmapping.await();
    long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - called);
    giveToOwner(page);
    holder.release();
    holder.awaitDone();
    requireOwnersBytes(page);
    if (holder.abortReason() != TestDeviceChannel.REVOKED) {
      throw new HardwareException(
          "the unmap returned while the device held the page, and the device was not told");
    }
    if (holder.moved() != 0) {
      throw new HardwareException(
          holder.moved() + " bytes were moved through a mapping that was gone");
    }
    machine.pages().free(page);
    return "returned after %d ms, the device was told that its mapping is gone, and the page kept its new bytes"
        .formatted(millis);
  }

  /// Has the device hold a page and begins to take it away.
  private VtdDomain.Unmapping takeAway(long page) throws HardwareException {
    DmaBuffer buffer = domain.map(new long[] {page}, DmaDirection.BIDIRECTIONAL);
    holder.startWrite(buffer.busAddress(0), Ram.PAGE, HELD_SEED, TestDeviceChannel.UNTIL_RELEASED);
    holder.awaitHolding();
    return domain.beginUnmap(buffer);
  }

  /// Another page of the same device, in the same domain.
  private String writeElsewhere() throws HardwareException {
    long page = machine.pages().allocateZeroed();
    DmaBuffer buffer = domain.map(new long[] {page}, DmaDirection.BIDIRECTIONAL);
    second.startWrite(buffer.busAddress(0), Ram.PAGE, OTHER_SEED, 0);
    second.awaitDone();
    int wrong = wrongBytes(page, TestDeviceChannel.pattern(Ram.PAGE, OTHER_SEED));
    if (wrong != 0) {
      throw new HardwareException(
          "meanwhile the device wrote only %d bytes of its other page".formatted(Ram.PAGE - wrong));
    }
    return "it wrote %d bytes elsewhere".formatted(Ram.PAGE);
  }

  private void giveToOwner(long page) {
    machine.ram().write(page, ownersBytes, 0, ownersBytes.length);
  }

  private void requireOwnersBytes(long page) throws HardwareException {
    if (wrongBytes(page, ownersBytes) != 0) {
      throw stillHeld(page);
    }
  }

  private HardwareException stillHeld(long page) {
    return new HardwareException(
        "the unmap returned while the device held the page, and the device then overwrote %d bytes of the page's new owner"
            .formatted(wrongBytes(page, ownersBytes)));
  }

  private int wrongBytes(long page, byte[] wanted) {
    byte[] found = new byte[wanted.length];
    machine.ram().read(page, found, 0, found.length);
    int wrong = 0;
    for (int i = 0; i < found.length; i++) {
      wrong += found[i] == wanted[i] ? 0 : 1;
    }
    return wrong;
  }
}
