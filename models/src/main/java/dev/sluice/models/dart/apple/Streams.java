package dev.sluice.models.dart.apple;

import dev.sluice.iommu.Invalidation;
import dev.sluice.iommu.Invalidator;
import dev.sluice.models.registers.ModelLock;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;

/// What the guest has told the DART about its streams, in the form in which devices ask: changed
/// with the model's lock held, read without.
///
/// A change of anything but a table has every requester ask again. A table that changes is used by
/// walks that begin from now on; what the TLB holds stays until it is invalidated.
final class Streams {
  /// Where the addresses of a stream go.
  enum Mode {
    /// Nowhere.
    BLOCKED,
    /// Through the tables.
    TRANSLATED,
    /// To guest-physical memory.
    BYPASSED
  }

  /// What a stream's control register says.
  ///
  /// @param stream whose it is
  /// @param fourLevels whether the top table is one level higher (t8110)
  /// @param instead the stream whose control and tables count instead of its own (t8110), or
  ///   [#NONE]
  record Control(int stream, Mode mode, boolean fourLevels, int instead) {
    /// No other stream.
    static final int NONE = -1;

    static Control blocked(int stream) {
      return new Control(stream, Mode.BLOCKED, false, NONE);
    }
  }

  /// Stands for a top table that is not valid.
  static final long NO_TABLE = -1;

  private final ModelLock lock;
  private final Invalidator invalidator;
  private final int count;
  private final int tablesEach;
  private final AtomicReferenceArray<Control> controls;
  private final AtomicLongArray tables;
  private final AtomicIntegerArray remap;
  private final AtomicIntegerArray enabled;

  Streams(AppleDartConfig config, ModelLock lock, Invalidator invalidator) {
    this.lock = lock;
    this.invalidator = invalidator;
    count = config.streams();
    tablesEach = config.type().tables();
    controls = new AtomicReferenceArray<>(count);
    tables = new AtomicLongArray(count * tablesEach);
    remap = new AtomicIntegerArray(count);
    enabled = new AtomicIntegerArray(count);
    reset();
  }

  /// Every stream enabled, itself, and blocked. With the lock held, or before anyone else knows it.
  void reset() {
    for (int stream = 0; stream < count; stream++) {
      controls.set(stream, Control.blocked(stream));
      remap.set(stream, stream);
      enabled.set(stream, 1);
    }
    for (int i = 0; i < tables.length(); i++) {
      tables.set(i, NO_TABLE);
    }
  }

  int count() {
    return count;
  }

  int tablesEach() {
    return tablesEach;
  }

  // --- the guest's side

  void control(Control control) {
    if (!control.equals(controls.getAndSet(control.stream(), control))) {
      changed();
    }
  }

  /// Has a stream use another's control and tables (t8020, t6000).
  void remap(int stream, int to) {
    if (remap.getAndSet(stream, to) != to) {
      changed();
    }
  }

  void enable(int stream, boolean on) {
    int now = on ? 1 : 0;
    if (enabled.getAndSet(stream, now) != now) {
      changed();
    }
  }

  /// @param address guest-physical, or [#NO_TABLE]
  void table(int stream, int index, long address) {
    tables.set(stream * tablesEach + index, address);
  }

  private void changed() {
    lock.defer(() -> invalidator.forget(Invalidation.ofBindings()));
  }

  // --- the devices' side

  /// Whether requests of a stream are listened to at all.
  boolean isEnabled(int stream) {
    return enabled.get(stream) != 0;
  }

  /// The control that counts for a stream's requests: its own, or that of the stream it is remapped
  /// to, which may not exist.
  Control controlFor(int stream) {
    Control own = controls.get(remap.get(stream));
    int instead = own.instead();
    if (instead == Control.NONE) {
      return own;
    }
    return instead < count ? controls.get(instead) : Control.blocked(instead);
  }

  /// The guest-physical address of a top table, or [#NO_TABLE].
  long table(int stream, long index) {
    return index < tablesEach ? tables.get(stream * tablesEach + (int) index) : NO_TABLE;
  }
}
