package dev.sluice.vm.replay;

import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Iotlb;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.MessagePort;
import dev.sluice.memory.RamRegion;
import dev.sluice.models.spapr.Hypercall;
import dev.sluice.models.spapr.PartitionableEndpoint;
import dev.sluice.models.spapr.SpaprConfig;
import dev.sluice.models.spapr.SpaprIommu;
import dev.sluice.models.spapr.VirtualCpu;
import dev.sluice.vm.replay.ReplayReport.Mismatch;
import dev.sluice.vm.replay.SpaprEvent.NewTable;
import dev.sluice.vm.replay.SpaprEvent.WindowCreation;
import dev.sluice.vm.replay.SpaprEvent.WindowReset;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A partition that repeats what another one did. It has the bridges and devices whose tables the
/// recording names, memory at every address that an entry may lead to, and nothing in it.
///
/// A translation asks the IOTLB before the model, as a device's access does. Then the model is
/// asked once more, in the quick form of a walk, and has to say the same.
final class SpaprReplay {
  private static final long MEMORY_BYTES = 1L << 52;
  private static final long LIST = 1L << 52;
  private static final int LIST_BYTES = 2 * 4096;

  private static final int PAGE_SHIFT = 12;

  private final GuestMemory memory = new GuestMemory();
  private final VirtualCpu cpu = new NeverHalted();
  private final RamRegion list = RamRegion.allocate(LIST_BYTES);
  private final SpaprIommu iommu;
  private final QuickWalks quickWalks;
  private final Spaces spaces;
  private final DerivedEntries derived = new DerivedEntries();
  private final RecordedWindowCalls windowCalls;

  /// A default window's LIOBN, the table of which came into being once more on the line before.
  private @Nullable NewTable again;

  private long puts;
  private long indirects;
  private long stuffs;
  private long gets;
  private long translations;

  /// @param config as the recorded machine was configured
  SpaprReplay(SpaprConfig config) {
    iommu = new SpaprIommu(config, memory);
    quickWalks = new QuickWalks(iommu);
    spaces = new Spaces(iommu, memory, quickWalks);
    windowCalls = new RecordedWindowCalls(iommu, cpu, spaces, derived);
    memory.addMessageOnly(0, MEMORY_BYTES, true, new NothingThere());
    memory.addRam(LIST, list);
  }

  /// Entries may lead anywhere; what is there was not recorded.
  private static final class NothingThere implements MessagePort {
    @Override
    public MemoryStatus read(long address, MemorySegment into, long offset, long length) {
      return MemoryStatus.FAILED;
    }

    @Override
    public MemoryStatus write(long address, MemorySegment from, long offset, long length) {
      return MemoryStatus.FAILED;
    }
  }

  /// Nothing holds a translation here, so no call ever halts.
  private static final class NeverHalted implements VirtualCpu {
    @Override
    public void halt() {
      throw new IllegalStateException("halted though nothing is in flight");
    }

    @Override
    public void resume(long returnCode) {
      throw new IllegalStateException("resumed though never halted");
    }
  }

  /// What has been made so far.
  ReplayReport.Calls calls() {
    return new ReplayReport.Calls(puts, indirects, stuffs, gets, windowCalls.count());
  }

  long translations() {
    return translations;
  }

  ReplayReport.Lists lists() {
    return derived.lists();
  }

  /// Repeats an event.
  ///
  /// @param line its number in the recording
  /// @param text the line
  /// @return the first answer that is not the recorded one; or null
  /// @throws IllegalArgumentException when a recording cannot have such an event here
  @Nullable Mismatch repeat(long line, String text, SpaprEvent event) {
    NewTable table = again;
    again = null;
    if (table != null && !isOfGuest(table, event)) {
      reset(table.liobn());
    }
    return switch (event) {
      case SpaprEvent.Call call -> mismatch(line, text, call(call));
      case SpaprEvent.Get get -> get(line, text, get);
      case SpaprEvent.Translated translated -> translated(line, text, translated);
    };
  }

  private static @Nullable Mismatch mismatch(
      long line, String text, @Nullable Difference difference) {
    return difference == null
        ? null
        : new Mismatch(line, text, difference.recorded(), difference.cameOut());
  }

  private @Nullable Difference call(SpaprEvent.Call call) {
    return switch (call) {
      case NewTable table -> {
        newTable(table);
        yield null;
      }
      case SpaprEvent.Put put -> put(put);
      case SpaprEvent.Stuff stuff -> stuff(stuff);
      case SpaprEvent.Indirect indirect -> indirect(indirect);
      case SpaprEvent.WindowQuery query -> windowCalls.query(query);
      case WindowCreation creation -> windowCalls.create(creation);
      case SpaprEvent.WindowRemoval removal -> windowCalls.remove(removal);
      case WindowReset reset -> windowCalls.reset(reset);
    };
  }

  // --- tables

  private void newTable(NewTable table) {
    long liobn = table.liobn();
    if (liobn != RecordedLiobn.space(liobn)) {
      // Of a dynamic window, whose size the line behind it tells.
      return;
    }
    if (spaces.of(liobn) == null) {
      spaces.add(liobn);
    } else if (RecordedLiobn.isOfBridge(liobn)) {
      again = table;
    }
  }

  /// Whether a table came into being again because the guest asked for it, which the line behind it
  /// tells: a window with a LIOBN that was free, or the default window. Otherwise the machine was
  /// reset.
  private static boolean isOfGuest(NewTable table, SpaprEvent next) {
    return switch (next) {
      case WindowCreation creation -> creation.liobn() == table.liobn();
      case WindowReset reset -> reset.unitId() == RecordedLiobn.unitId(table.liobn());
      default -> false;
    };
  }

  /// A bridge after a reset of the machine. The first bridge, which is always there, stands for the
  /// VIO devices too: QEMU empties their tables without a word.
  private void reset(long liobn) {
    windowCalls.resetUnasked(RecordedLiobn.unitId(liobn));
    if (RecordedLiobn.bridge(liobn) == 0) {
      for (PartitionableEndpoint.Window window : spaces.vioWindows()) {
        derived.replaced(window.liobn(), 0, -1, PAGE_SHIFT);
        call(Hypercall.H_STUFF_TCE, window.liobn(), 0, 0, window.bytes() >>> PAGE_SHIFT);
      }
    }
  }

  // --- hypercalls

  private @Nullable Difference put(SpaprEvent.Put put) {
    puts++;
    known(put.returned(), put.liobn(), put.ioba(), 1);
    return code(put.returned(), call(Hypercall.H_PUT_TCE, put.liobn(), put.ioba(), put.tce(), 0));
  }

  private @Nullable Difference stuff(SpaprEvent.Stuff stuff) {
    stuffs++;
    PartitionableEndpoint.Window window = spaces.window(stuff.liobn());
    int shift = window == null ? PAGE_SHIFT : window.pageShift();
    boolean done = stuff.returned() == 0;
    long first = done ? stuff.end() - (stuff.count() << shift) : stuff.end();
    known(stuff.returned(), stuff.liobn(), first, stuff.count());
    if (!done) {
      stoppedAtEnd(window, stuff.end(), stuff.count() - 1);
    }
    return code(
        stuff.returned(),
        call(Hypercall.H_STUFF_TCE, stuff.liobn(), first, stuff.tce(), stuff.count()));
  }

  private @Nullable Difference indirect(SpaprEvent.Indirect indirect) {
    indirects++;
    if (Long.compareUnsigned(indirect.last(), 511) > 0) {
      throw new IllegalArgumentException("a list has 512 entries, not " + indirect.last());
    }
    PartitionableEndpoint.Window window = spaces.window(indirect.liobn());
    int shift = window == null ? PAGE_SHIFT : window.pageShift();
    // QEMU rounds an address within a page down.
    long ioba = indirect.ioba() & -(1L << shift);
    long count = indirect.last() + 1;
    writeList(indirect, shift);
    if (indirect.returned() == 0) {
      known(0, indirect.liobn(), ioba, count);
      DerivedEntries.Run run = new DerivedEntries.Run();
      for (long page = 0; page < indirect.last(); page++) {
        derived.derive(run, indirect.liobn(), ioba + (page << shift));
      }
    } else if (stoppedAtEnd(window, ioba + (count << shift), count)) {
      // Refused at the entry behind those.
      count++;
    }
    return code(
        indirect.returned(),
        call(Hypercall.H_PUT_TCE_INDIRECT, indirect.liobn(), ioba, listAddress(indirect), count));
  }

  /// A run of pages up to the last one.
  private void writeList(SpaprEvent.Indirect indirect, int shift) {
    for (int i = 0; i <= indirect.last(); i++) {
      long before = (indirect.last() - i) << shift;
      boolean runs = Long.compareUnsigned(before, indirect.lastTce()) <= 0;
      long entry = runs ? indirect.lastTce() - before : indirect.lastTce();
      memory.store(listAddress(indirect) + i * 8L, 8, ByteOrder.BIG_ENDIAN, entry);
    }
  }

  /// Whether a call that was refused had come to the end of the window.
  ///
  /// @param pages how many it may have entered before
  private boolean stoppedAtEnd(
      PartitionableEndpoint.@Nullable Window window, long end, long pages) {
    if (window == null || end != window.base() + window.bytes()) {
      return false;
    }
    int shift = window.pageShift();
    long most = Math.min(pages, window.bytes() >>> shift);
    derived.mayBeEntered(window.liobn(), end, most, shift);
    return true;
  }

  /// A list of the replay's own, aligned like the recorded one.
  private static long listAddress(SpaprEvent.Indirect indirect) {
    return LIST + (indirect.list() & 0xFFF);
  }

  private @Nullable Mismatch get(long line, String text, SpaprEvent.Get get) {
    gets++;
    Mismatch mismatch = mismatch(line, text, compare(get));
    return get.returned() == 0
        ? settle(mismatch, get.liobn(), get.ioba(), get.tce(), () -> compare(get))
        : mismatch;
  }

  private @Nullable Difference compare(SpaprEvent.Get get) {
    long[] registers = {get.liobn(), get.ioba(), 0, 0};
    long returned = iommu.hypercall(cpu, Hypercall.H_GET_TCE, registers);
    Difference difference = code(get.returned(), returned);
    return difference != null || returned != 0 || registers[0] == get.tce()
        ? difference
        : new Difference("tce=0x%x".formatted(get.tce()), "tce=0x%x".formatted(registers[0]));
  }

  /// The recording tells what an entry was, which confirms or corrects one that was derived.
  ///
  /// @param mismatch what differs; or null
  /// @param recorded the entry
  /// @param again compares once more
  private @Nullable Mismatch settle(
      @Nullable Mismatch mismatch,
      long liobn,
      long ioba,
      long recorded,
      Supplier<@Nullable Difference> again) {
    if (mismatch == null) {
      return derived.confirm(liobn, ioba);
    }
    if (derived.correct(liobn, ioba, mismatch)) {
      call(Hypercall.H_PUT_TCE, liobn, ioba, recorded, 0);
      return mismatch(mismatch.line(), mismatch.text(), again.get());
    }
    return mismatch;
  }

  private long call(long opcode, long... registers) {
    return iommu.hypercall(cpu, opcode, registers);
  }

  /// From here on the entries of a run of pages are those of the recording, unless the call was
  /// refused.
  private void known(long returned, long liobn, long ioba, long count) {
    PartitionableEndpoint.Window window = spaces.window(liobn);
    if (returned == 0
        && window != null
        && count > 0
        && count <= window.bytes() >>> window.pageShift()) {
      long last = ioba + (count << window.pageShift()) - 1;
      derived.replaced(liobn, ioba, last, window.pageShift());
    }
  }

  private static @Nullable Difference code(long recorded, long returned) {
    return recorded == returned ? null : new Difference("ret=" + recorded, "ret=" + returned);
  }

  // --- translations

  private @Nullable Mismatch translated(long line, String text, SpaprEvent.Translated recorded) {
    translations++;
    PartitionableEndpoint.Window window = spaces.window(recorded.liobn());
    Spaces.Space space = spaces.of(recorded.liobn());
    if (window == null || space == null) {
      throw new IllegalArgumentException(
          "a translation by the LIOBN 0x%x, which is no window's".formatted(recorded.liobn()));
    }
    long ioba = window.base() + recorded.offset();
    long page = ioba & -(1L << window.pageShift());
    Mismatch mismatch = mismatch(line, text, compare(recorded, window, space, ioba));
    return settle(
        mismatch,
        recorded.liobn(),
        page,
        recorded.page() | recorded.rights(),
        () -> compare(recorded, window, space, ioba));
  }

  private @Nullable Difference compare(
      SpaprEvent.Translated recorded,
      PartitionableEndpoint.Window window,
      Spaces.Space space,
      long ioba) {
    Access access =
        recorded.rights() == 1
            ? Access.READ
            : recorded.rights() == 2 ? Access.WRITE : Access.READ_WRITE;
    String before =
        recorded.rights() == 0
            ? "refused"
            : describe(recorded.page(), recorded.rights(), recorded.mask());
    String now = describe(translate(space.device(), ioba, access));
    if (!now.equals(before)) {
      return new Difference(before, now);
    }
    return quickWalks.agree(
            space.device(), space.twin(), ioba, access, recorded, window.pageShift())
        ? null
        : new Difference(before, "another answer of the quick walk");
  }

  private Translation translate(Endpoint device, long ioba, Access access) {
    Iotlb cache = device.space();
    Translation.Page cached = cache == null ? null : cache.lookup(ioba);
    return cached != null && cached.allows(access) ? cached : iommu.translate(device, ioba, access);
  }

  private static String describe(Translation answer) {
    return answer instanceof Translation.Page page
        ? describe(
            page.address(),
            (page.readable() ? 1 : 0) | (page.writable() ? 2 : 0),
            (int) ((1L << page.shift()) - 1))
        : "refused";
  }

  private static String describe(long page, int rights, int mask) {
    return "0x%x perm=%d mask=0x%x".formatted(page, rights, mask);
  }
}
