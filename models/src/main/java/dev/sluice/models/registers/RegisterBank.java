package dev.sluice.models.registers;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The registers of one model, as the guest sees them: little-endian, from offset 0 to the size of
/// the bank.
///
/// An access may have 1, 2, 4 or 8 bytes and any alignment. It may cover a part of a register, or
/// several; each register that it touches is read or written by itself, in ascending order. Where
/// no register is declared, reads return 0 and writes do nothing.
///
/// The guest's side, [#read] and [#write], takes the model's lock. The model's side, [#get] and
/// [#set], wants it held.
public final class RegisterBank {
  private static final int GRANULE = Integer.BYTES;

  private final ModelLock lock;
  private final List<Slot> slots;
  private final Map<Register, Slot> byRegister = new HashMap<>();

  /// For each 4 bytes of the bank the slot that lies there, as an index into `slots`, or -1.
  private final int[] slotAt;

  private static final class Slot {
    final Register register;
    final WriteHook hook;
    long value;

    Slot(Register register, WriteHook hook) {
      this.register = register;
      this.hook = hook;
      this.value = register.reset();
    }
  }

  private RegisterBank(ModelLock lock, int size, List<Slot> slots) {
    this.lock = lock;
    this.slots = List.copyOf(slots);
    this.slotAt = new int[size / GRANULE];
    Arrays.fill(slotAt, -1);
    for (int i = 0; i < slots.size(); i++) {
      Register register = slots.get(i).register;
      byRegister.put(register, slots.get(i));
      for (int at = register.offset(); at < register.offset() + register.size(); at += GRANULE) {
        if (at >= size) {
          throw new IllegalArgumentException(
              "%s at 0x%x is outside of a bank of %d bytes".formatted(register.name(), at, size));
        }
        int other = slotAt[at / GRANULE];
        if (other >= 0) {
          throw new IllegalArgumentException(
              "%s and %s overlap at 0x%x"
                  .formatted(slots.get(other).register.name(), register.name(), at));
        }
        slotAt[at / GRANULE] = i;
      }
    }
  }

  /// Begins the declaration of a bank.
  ///
  /// @param size bytes, a multiple of 4
  public static Builder builder(ModelLock lock, int size) {
    return new Builder(lock, size);
  }

  /// Collects the registers of a bank.
  public static final class Builder {
    private final ModelLock lock;
    private final int size;
    private final List<Slot> slots = new ArrayList<>();

    private Builder(ModelLock lock, int size) {
      if (size <= 0 || size % GRANULE != 0) {
        throw new IllegalArgumentException("a bank has a multiple of 4 bytes, not " + size);
      }
      this.lock = lock;
      this.size = size;
    }

    /// Adds a register.
    public Builder add(Register register) {
      return add(register, (_, _, _) -> {});
    }

    /// Adds a register whose writes set something off.
    public Builder add(Register register, WriteHook hook) {
      slots.add(new Slot(register, hook));
      return this;
    }

    /// The bank, with every register at its reset value.
    ///
    /// @throws IllegalArgumentException when two registers overlap or one lies outside
    public RegisterBank build() {
      return new RegisterBank(lock, size, slots);
    }
  }

  /// Bytes of the bank.
  public int size() {
    return slotAt.length * GRANULE;
  }

  /// A guest's read.
  ///
  /// @param offset 0 or more; beyond the end there is nothing
  /// @param bytes 1, 2, 4 or 8
  /// @return the bytes, zero-extended
  public long read(long offset, int bytes) {
    check(offset, bytes);
    return lock.call(() -> {
      long result = 0;
      for (Slot slot : touched(offset, bytes)) {
        int shift = shift(slot.register, offset);
        result |= shift >= 0 ? slot.value << shift : slot.value >>> -shift;
      }
      return result & Register.ones(bytes);
    });
  }

  /// A guest's write, with everything that it sets off on this thread.
  ///
  /// @param offset 0 or more; beyond the end there is nothing
  /// @param bytes 1, 2, 4 or 8
  /// @param value in its low `bytes`
  public void write(long offset, int bytes, long value) {
    check(offset, bytes);
    long mask = Register.ones(bytes);
    lock.run(() -> {
      for (Slot slot : touched(offset, bytes)) {
        Register register = slot.register;
        int shift = -shift(register, offset);
        long within = Register.ones(register.size());
        long touched = within & (shift >= 0 ? mask << shift : mask >>> -shift);
        long written = touched & (shift >= 0 ? value << shift : (value & mask) >>> -shift);
        long before = slot.value;
        slot.value = register.afterWrite(before, written, touched);
        slot.hook.written(slot.value, before, touched);
      }
    });
  }

  /// The content of a register, for the model.
  public long get(Register register) {
    lock.mustBeHeld();
    return slot(register).value;
  }

  /// Replaces the content of a register, read-only bits too, for the model. Sets nothing off.
  public void set(Register register, long value) {
    lock.mustBeHeld();
    if ((value & ~Register.ones(register.size())) != 0) {
      throw new IllegalArgumentException(
          "%s has %d bytes: 0x%x".formatted(register.name(), register.size(), value));
    }
    slot(register).value = value;
  }

  /// Sets and clears bits of a register, for the model: first `clear`, then `set`.
  public void change(Register register, long clear, long set) {
    set(register, (get(register) & ~clear) | set);
  }

  /// Puts every register at its reset value.
  public void reset() {
    lock.mustBeHeld();
    for (Slot slot : slots) {
      slot.value = slot.register.reset();
    }
  }

  private Slot slot(Register register) {
    Slot slot = byRegister.get(register);
    if (slot == null) {
      throw new IllegalArgumentException(register.name() + " is not in this bank");
    }
    return slot;
  }

  /// The registers that an access touches, in ascending order: four at the most.
  private List<Slot> touched(long offset, int bytes) {
    List<Slot> found = new ArrayList<>(2);
    long end = Math.min(offset + bytes, size());
    int previous = -1;
    for (long at = offset & -GRANULE; at < end; at += GRANULE) {
      int index = slotAt[(int) (at / GRANULE)];
      if (index >= 0 && index != previous) {
        found.add(slots.get(index));
      }
      previous = index;
    }
    return found;
  }

  /// By how many bits the register's content is shifted left to stand where the access sees it;
  /// negative is right.
  private static int shift(Register register, long offset) {
    return (int) (register.offset() - offset) * Byte.SIZE;
  }

  private static void check(long offset, int bytes) {
    if (offset < 0 || offset > Long.MAX_VALUE - Long.BYTES) {
      throw new IllegalArgumentException("not an offset into a register bank: " + offset);
    }
    if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) {
      throw new IllegalArgumentException("an access has 1, 2, 4 or 8 bytes, not " + bytes);
    }
  }
}
