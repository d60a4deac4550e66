package dev.sluice.pci;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/// The 4096 bytes of a function's configuration space: a type 0 header (PCIe 7.5.1), a capability
/// list, and no extended capabilities. Safe for use by several threads.
///
/// A write changes only the bits that are declared writable. A base address register written with
/// ones reads back as the mask of its size (PCIe 7.5.1.2.1). An access may have any alignment and
/// cross registers: each is made of its bytes.
public final class ConfigSpace {
  /// Bytes of the space.
  public static final int SIZE = 4096;

  private static final int FIRST_CAPABILITY = 0x40;
  private static final int END_OF_CAPABILITIES = 0x100;

  private final byte[] reset;
  private final byte[] writable;
  private final byte[] value;
  private final List<ConfigImage.Hook> hooks;
  private final List<Capability> capabilities;
  private final List<Bar> bars;
  private final List<Consumer<Command>> commandHooks = new CopyOnWriteArrayList<>();

  private ConfigSpace(Builder builder) {
    ConfigImage image = new ConfigImage();
    ConfigHeader.layOut(image, builder);
    commandHooks.addAll(builder.commandHooks);
    image.hook(
        Command.OFFSET,
        2,
        () -> {
          Command now = command();
          commandHooks.forEach(hook -> hook.accept(now));
        });
    capabilities = List.copyOf(builder.capabilities);
    bars = List.copyOf(builder.bars);
    layOutCapabilities(image);
    reset = image.resetValues();
    writable = image.writableBits();
    value = reset.clone();
    hooks = image.hooks();
  }

  /// A space to be declared.
  public static Builder builder() {
    return new Builder();
  }

  private void layOutCapabilities(ConfigImage image) {
    int link = ConfigHeader.CAPABILITIES_POINTER;
    int at = FIRST_CAPABILITY;
    for (Capability capability : capabilities) {
      if (at + capability.length() > END_OF_CAPABILITIES) {
        throw new IllegalArgumentException(
            "the capabilities do not fit below offset " + END_OF_CAPABILITIES);
      }
      image.constant(link, 1, at);
      ConfigImage part = image.part(at, capability.length());
      capability.layOut(part, new CapabilityRegisters(this, at, capability.length()));
      part.constant(0, 1, capability.id());
      part.constant(1, 1, 0);
      link = at + 1;
      at = (at + capability.length() + 3) & ~3;
    }
  }

  /// Reads `size` bytes at `offset`, little-endian, zero-extended.
  ///
  /// @param size 1 to 8 bytes
  /// @throws IllegalArgumentException if the access is not within the space
  public synchronized long read(int offset, int size) {
    check(offset, size);
    long result = 0;
    for (int i = size - 1; i >= 0; i--) {
      result = result << 8 | (value[offset + i] & 0xff);
    }
    return result;
  }

  /// Writes the low `size` bytes of `data` at `offset`, little-endian, and runs the hooks of what
  /// it touched.
  ///
  /// @param size 1 to 8 bytes
  /// @throws IllegalArgumentException if the access is not within the space
  public void write(int offset, int size, long data) {
    check(offset, size);
    synchronized (this) {
      for (int i = 0; i < size; i++) {
        int mask = writable[offset + i];
        value[offset + i] =
            (byte) ((value[offset + i] & ~mask) | ((int) (data >>> (8 * i)) & mask));
      }
    }
    for (ConfigImage.Hook hook : hooks) {
      if (hook.first() < offset + size && hook.last() >= offset) {
        hook.written().run();
      }
    }
  }

  /// Gives every register its value after reset and runs every hook: bus mastering, decoding and
  /// message interrupts are off, the BARs have no address.
  public void reset() {
    synchronized (this) {
      System.arraycopy(reset, 0, value, 0, SIZE);
    }
    hooks.forEach(hook -> hook.written().run());
  }

  /// The COMMAND register.
  public Command command() {
    return new Command((int) read(Command.OFFSET, 2));
  }

  /// Runs `hook`, too, after each write to COMMAND from now on, and after each reset, on the thread
  /// that wrote; it must not block.
  public void onCommand(Consumer<Command> hook) {
    commandHooks.add(hook);
  }

  /// The BARs, as declared.
  public List<Bar> bars() {
    return bars;
  }

  /// The address that software gave to `bar`, in its address space; 0 when it gave none.
  public long address(Bar bar) {
    int offset = ConfigHeader.BAR0 + 4 * bar.index();
    return switch (bar.kind()) {
      case IO -> read(offset, 4) & ~3L;
      case MEMORY_32 -> read(offset, 4) & ~15L;
      case MEMORY_64 -> read(offset, 8) & ~15L;
    };
  }

  /// The interrupt pin: 0 for none, 1 to 4 for INTA to INTD.
  public int interruptPin() {
    return (int) read(ConfigHeader.INTERRUPT_PIN, 1);
  }

  /// The capability of a type, if the function has it.
  public <T extends Capability> Optional<T> capability(Class<T> type) {
    return capabilities.stream().filter(type::isInstance).map(type::cast).findFirst();
  }

  private static void check(int offset, int size) {
    if (size < 1 || size > 8 || offset < 0 || offset > SIZE - size) {
      throw new IllegalArgumentException(
          size
              + " bytes at "
              + offset
              + " are not an access of 1 to 8 bytes within the configuration space");
    }
  }

  /// Declares a configuration space.
  public static final class Builder {
    int vendor = 0xffff;
    int device;
    int revision;
    int classCode;
    int subsystemVendor;
    int subsystem;
    int interruptPin;
    final List<Bar> bars = new ArrayList<>();
    private final List<Capability> capabilities = new ArrayList<>();
    private final List<Consumer<Command>> commandHooks = new ArrayList<>();

    private Builder() {}

    /// The vendor and device identifiers, 16 bits each; also the subsystem's unless [#subsystem]
    /// says otherwise.
    public Builder id(int vendorId, int deviceId) {
      vendor = unsigned(vendorId, 16, "vendor");
      device = unsigned(deviceId, 16, "device");
      subsystemVendor = vendor;
      subsystem = device;
      return this;
    }

    /// The subsystem identifiers, 16 bits each.
    public Builder subsystem(int vendorId, int subsystemId) {
      subsystemVendor = unsigned(vendorId, 16, "subsystem vendor");
      subsystem = unsigned(subsystemId, 16, "subsystem");
      return this;
    }

    /// The revision, 8 bits.
    public Builder revision(int revisionId) {
      revision = unsigned(revisionId, 8, "revision");
      return this;
    }

    /// The class code, 24 bits: base class, sub-class, programming interface.
    public Builder classCode(int code) {
      classCode = unsigned(code, 24, "class code");
      return this;
    }

    /// The interrupt pin: 0 for none, which is what a function has unless it says otherwise, 1 to 4
    /// for INTA to INTD.
    public Builder interruptPin(int pin) {
      if (pin < 0 || pin > 4) {
        throw new IllegalArgumentException("interrupt pin " + pin + " is not in 0..4");
      }
      interruptPin = pin;
      return this;
    }

    /// Adds a BAR.
    ///
    /// @throws IllegalArgumentException if one of its registers is taken
    public Builder bar(Bar bar) {
      boolean[] taken = new boolean[Bar.COUNT];
      bars.forEach(other -> Arrays.fill(taken, other.index(), end(other), true));
      for (int i = bar.index(); i < end(bar); i++) {
        if (taken[i]) {
          throw new IllegalArgumentException("base address register " + i + " is used twice");
        }
      }
      bars.add(bar);
      return this;
    }

    /// Appends a capability to the list.
    public Builder capability(Capability capability) {
      capabilities.add(capability);
      return this;
    }

    /// Runs `hook` after each write to COMMAND and after each reset, on the thread that wrote; it
    /// must not block.
    public Builder onCommand(Consumer<Command> hook) {
      commandHooks.add(hook);
      return this;
    }

    /// The space, in its state after reset.
    ///
    /// @throws IllegalArgumentException if the capabilities need more than the 192 bytes from 0x40
    ///   on
    public ConfigSpace build() {
      return new ConfigSpace(this);
    }

    private static int end(Bar bar) {
      return bar.index() + (bar.kind() == Bar.Kind.MEMORY_64 ? 2 : 1);
    }

    private static int unsigned(int value, int bits, String what) {
      if (value < 0 || value >>> bits != 0) {
        throw new IllegalArgumentException(
            what + " 0x" + Integer.toHexString(value) + " has more than " + bits + " bits");
      }
      return value;
    }
  }
}
