package dev.sluice.testkit.soak;

import dev.sluice.host.Fd;
import dev.sluice.host.MappedFile;
import dev.sluice.host.Memfd;
import dev.sluice.host.SystemCallException;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import dev.sluice.testkit.TableStore;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// The memory of a soaked machine: a file, as a VMM shares its guest's memory by.
///
/// Devices reach it through [#physical()]. The guest's processors have a mapping of their own, so
/// they see a page whatever has become of its region, and nothing that is under test stands
/// between.
///
/// ```
/// 0x0000_0000  frames that guests hand from slot to slot
/// 0x0020_0000  the guest's tables, queue and status words
/// 0x0040_0000  a large page
/// 0x0060_0000  end
/// 0x0100_0000  memory that is unplugged and plugged in again, a region of its own
/// ```
public final class SoakMemory implements TableStore, AutoCloseable {
  private static final long TABLES = 0x20_0000;
  private static final long LARGE = 0x40_0000;
  private static final long END = 0x60_0000;
  private static final long PLUGGABLE = 0x100_0000;
  private static final int PLUGGABLE_BYTES = 8 * Stamp.PAGE;
  private static final VarHandle WORD =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

  private final Fd file;
  private final MappedFile guestsView;
  private final MemorySegment bytes;
  private final GuestMemory physical = new GuestMemory();
  private long nextFrame;
  private long nextTable = TABLES;

  SoakMemory() {
    try {
      file = Memfd.create("sluice-soak", END + PLUGGABLE_BYTES);
      guestsView = MappedFile.map(file, 0, END + PLUGGABLE_BYTES, true);
    } catch (SystemCallException e) {
      throw new UncheckedIOException(e);
    }
    bytes = guestsView.segment();
    place(0, 0, END);
    plugIn();
  }

  /// Guest-physical memory, as the model and the devices reach it.
  public GuestMemory physical() {
    return physical;
  }

  // --- what guests do with it

  /// With acquire order.
  @Override
  public long load(long address) {
    return (long) WORD.getAcquire(bytes, offset(address));
  }

  /// With release order.
  @Override
  public void store(long address, long value) {
    WORD.setRelease(bytes, offset(address), value);
  }

  @Override
  public synchronized long table(int length) {
    long address = (nextTable + length - 1) & -(long) length;
    if (address + length > LARGE) {
      throw new IllegalStateException("no more memory for tables");
    }
    nextTable = address + length;
    return address;
  }

  // --- what the soak does with it

  /// A page that nobody has had yet.
  synchronized long frame() {
    if (nextFrame == TABLES) {
      throw new IllegalStateException("no more frames");
    }
    long frame = nextFrame;
    nextFrame += Stamp.PAGE;
    return frame;
  }

  /// Address of the large page, 2 MiB.
  long largePage() {
    return LARGE;
  }

  /// Address of the region that comes and goes.
  long pluggable() {
    return PLUGGABLE;
  }

  /// Pages of the region that comes and goes.
  int pluggablePages() {
    return PLUGGABLE_BYTES / Stamp.PAGE;
  }

  /// Lets the region come.
  void plugIn() {
    place(PLUGGABLE, END, PLUGGABLE_BYTES);
  }

  /// Lets the region go.
  ///
  /// @param drained runs when nothing can touch it any more
  void unplug(Runnable drained) {
    physical.remove(PLUGGABLE, PLUGGABLE + PLUGGABLE_BYTES - 1, drained);
  }

  private void place(long address, long offset, long length) {
    try {
      MappedFile part = MappedFile.map(file, offset, length, true);
      physical.addRam(address, RamRegion.of(part.segment(), true, part::close));
    } catch (SystemCallException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// A word, in no order with anything.
  long peek(long address) {
    return (long) WORD.get(bytes, offset(address));
  }

  /// A word, in no order with anything.
  void poke(long address, long value) {
    WORD.set(bytes, offset(address), value);
  }

  private static long offset(long address) {
    return address < END ? address : address - PLUGGABLE + END;
  }

  @Override
  public void close() {
    physical.remove(0, -1, () -> {});
    guestsView.close();
    file.close();
  }
}
