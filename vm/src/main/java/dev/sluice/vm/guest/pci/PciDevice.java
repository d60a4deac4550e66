package dev.sluice.vm.guest.pci;

import dev.sluice.iommu.RequesterId;
import dev.sluice.vm.guest.machine.Bus;
import dev.sluice.vm.guest.machine.HardwareException;
import dev.sluice.vm.guest.machine.Mmio;
import java.util.OptionalInt;

/// A PCI function that the guest has found, seen through its configuration space (PCIe 7.5.1).
public final class PciDevice {
  private static final int ID = 0x00;
  private static final int COMMAND = 0x04;
  private static final int STATUS = 0x06;
  private static final int CLASS_REVISION = 0x08;
  private static final int BAR_0 = 0x10;
  private static final int BAR_COUNT = 6;
  private static final int CAPABILITIES = 0x34;

  private static final int COMMAND_MEMORY = 1 << 1;
  private static final int COMMAND_BUS_MASTER = 1 << 2;
  private static final int STATUS_CAPABILITIES = 1 << 4;

  private static final long BAR_IO = 1;
  private static final long BAR_TYPE = 0b110;
  private static final long BAR_64_BIT = 0b100;
  private static final long BAR_FLAGS = 0xF;
  private static final long LOW_WORD = 0xFFFF_FFFFL;

  /// A list of capabilities has at most as many as fit after the header; a longer walk is a loop.
  private static final int MOST_CAPABILITIES = 48;

  private final Bus bus;
  private final RequesterId address;

  PciDevice(Bus bus, RequesterId address) {
    this.bus = bus;
    this.address = address;
  }

  /// Where it is; also the requester id of its DMA.
  public RequesterId address() {
    return address;
  }

  /// Vendor id in bits 15:0, device id in bits 31:16.
  public int id() {
    return (int) read(ID, 4);
  }

  /// Base class, subclass and programming interface: 24 bits.
  public int classCode() {
    return (int) (read(CLASS_REVISION, 4) >>> 8);
  }

  /// Lets the function answer accesses to its memory BARs.
  public void enableMemory() {
    setCommand(COMMAND_MEMORY, true);
  }

  /// Lets the function make requests of its own, DMA and message interrupts, or forbids it.
  public void busMaster(boolean on) {
    setCommand(COMMAND_BUS_MASTER, on);
  }

  private void setCommand(int bit, boolean on) {
    long command = read(COMMAND, 2);
    write(COMMAND, 2, on ? command | bit : command & ~bit);
  }

  /// The registers behind a memory BAR.
  ///
  /// @param index 0 to 5
  /// @throws HardwareException when there is no such BAR, or nobody gave it an address
  public Mmio bar(int index) throws HardwareException {
    long size = barSize(index);
    long at = barAddress(index);
    if (size == 0 || at == 0) {
      throw new HardwareException("%s has no memory BAR %d".formatted(address, index));
    }
    return new Mmio(bus, at, size);
  }

  /// The address in a memory BAR, 0 before one was assigned.
  long barAddress(int index) {
    long low = read(BAR_0 + 4 * index, 4);
    long high = (low & BAR_TYPE) == BAR_64_BIT ? read(BAR_0 + 4 * index + 4, 4) : 0;
    return high << 32 | (low & ~BAR_FLAGS);
  }

  /// Finds the size of a memory BAR: the bits that do not stick when all are written with ones
  /// (PCIe 7.5.1.2.1). Decoding is off meanwhile, and everything is put back.
  ///
  /// @return bytes, or 0 when there is no memory BAR
  long barSize(int index) {
    long command = read(COMMAND, 2);
    write(COMMAND, 2, command & ~COMMAND_MEMORY);
    int at = BAR_0 + 4 * index;
    long low = read(at, 4);
    boolean wide = (low & BAR_TYPE) == BAR_64_BIT && (low & BAR_IO) == 0;
    long high = wide ? read(at + 4, 4) : 0;
    write(at, 4, LOW_WORD);
    long mask = read(at, 4) & ~BAR_FLAGS;
    if (wide) {
      write(at + 4, 4, LOW_WORD);
      mask |= read(at + 4, 4) << 32;
      write(at + 4, 4, high);
    } else if (mask != 0) {
      mask |= ~LOW_WORD;
    }
    write(at, 4, low);
    write(COMMAND, 2, command);
    return (low & BAR_IO) != 0 ? 0 : -mask;
  }

  /// Whether a memory BAR takes two base address registers.
  boolean isBar64(int index) {
    return (read(BAR_0 + 4 * index, 4) & (BAR_TYPE | BAR_IO)) == BAR_64_BIT;
  }

  /// Gives a memory BAR an address below 4 GiB.
  void assignBar(int index, long at) {
    write(BAR_0 + 4 * index, 4, at);
    if (isBar64(index)) {
      write(BAR_0 + 4 * index + 4, 4, 0);
    }
  }

  /// How many base address registers there are.
  int barCount() {
    return BAR_COUNT;
  }

  /// Where the capability with an id begins in configuration space.
  ///
  /// @throws HardwareException when the list of capabilities has no end
  OptionalInt capability(int id) throws HardwareException {
    if ((read(STATUS, 2) & STATUS_CAPABILITIES) == 0) {
      return OptionalInt.empty();
    }
    int at = (int) read(CAPABILITIES, 1) & ~3;
    for (int seen = 0; at != 0; seen++) {
      if (seen == MOST_CAPABILITIES) {
        throw new HardwareException(address + " has a list of capabilities without an end");
      }
      long header = read(at, 2);
      if ((header & 0xFF) == id) {
        return OptionalInt.of(at);
      }
      at = (int) (header >>> 8) & ~3;
    }
    return OptionalInt.empty();
  }

  long read(int offset, int size) {
    return bus.readConfig(address, offset, size);
  }

  void write(int offset, int size, long value) {
    bus.writeConfig(address, offset, size, value);
  }

  @Override
  public String toString() {
    return address.toString();
  }
}
