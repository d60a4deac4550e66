package dev.sluice.models.vtd;

import static dev.sluice.models.vtd.GuestTables.LARGE;
import static dev.sluice.models.vtd.VtdMachine.BIT_63;
import static dev.sluice.models.vtd.VtdMachine.CCMD;
import static dev.sluice.models.vtd.VtdMachine.IOTLB;
import static dev.sluice.models.vtd.VtdMachine.IVA;
import static dev.sluice.models.vtd.VtdMachine.MEMORY_BYTES;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.TargetAbort;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Word;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A guest that changes entries of all levels at random, to anything at all, and invalidates no
/// more than 6.5.2.3 asks of it: each access must come out as by a walk of the tables as they are
/// now.
class ChangingTablesTest {
  private static final int STEPS = 6_000;

  /// Indices that the guest uses at each level: of the second, one whose 2 MiB have the interrupt
  /// range in them at L3 3.
  private static final int[][] INDICES = {
    {}, {0, 1, 300}, {0, 3, 0x1F7, 511}, {0, 3, 511}, {0, 1, 511}
  };

  private static final long DATA = 0x60_0000;
  private static final int DATA_PAGES = 64;

  /// The table that ends where memory does.
  private static final long LAST_PAGE = MEMORY_BYTES - 4096;

  private static final int WIDE = 7;
  private static final int NARROW = 8;

  private final VtdMachine machine = new VtdMachine();
  private final GuestTables tables = machine.tables;

  /// Those that the guest links to one another, in any way.
  private final List<Long> pool = new ArrayList<>();

  private final List<RequesterId> ids =
      List.of(RequesterId.of(0, 5, 0), RequesterId.of(0, 6, 0), RequesterId.of(0, 7, 0));
  private final List<DmaContext> devices = new ArrayList<>();
  private final int[] domains = {WIDE, WIDE, NARROW};
  private Random random = new Random();

  @AfterEach
  void giveMemoryBack() {
    machine.close();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void everyAccessGoesByTheTablesOnceTheirChangeIsInvalidated(long seed) {
    random = new Random(seed);
    devices.add(machine.device);
    devices.add(machine.attach(ids.get(1)));
    devices.add(machine.attach(ids.get(2)));
    for (int i = 0; i < 10; i++) {
      pool.add(tables.page());
    }
    pool.add(LAST_PAGE);
    for (int i = 0; i < DATA_PAGES; i++) {
      tables.store(data(i) + 16, i + 1);
    }
    tables.context(ids.get(0), 0, top(WIDE), 2, WIDE);
    tables.context(ids.get(1), 0, top(WIDE), 2, WIDE);
    tables.context(ids.get(2), 0, top(NARROW), 1, NARROW);
    machine.enabled();
    int done = 0;
    for (int step = 0; step < STEPS; step++) {
      switch (random.nextInt(8)) {
        case 0, 1 -> change();
        case 2 -> invalidate(random.nextBoolean() ? WIDE : NARROW, iova(), random.nextInt(19), 64);
        case 3 -> move();
        default -> done += access() ? 1 : 0;
      }
    }
    assertThat(done).isGreaterThan(STEPS / 50);
  }

  private long top(int domain) {
    return pool.get(domain == WIDE ? 0 : 1);
  }

  private static int levels(int domain) {
    return domain == WIDE ? 4 : 3;
  }

  private long iova() {
    long iova = 0;
    for (int level = 1; level <= 4; level++) {
      iova |= index(level) << (12 + 9 * (level - 1));
    }
    return iova;
  }

  private long index(int level) {
    return INDICES[level][random.nextInt(INDICES[level].length)];
  }

  // --- the guest

  /// Anything that can stand at a level: often what leads on.
  private long entry(int level) {
    long rights = random.nextInt(6) == 0 ? random.nextInt(4) : 3;
    return switch (random.nextInt(level == 1 ? 5 : 24)) {
      case 0 -> 0;
      case 1 -> random.nextLong();
      case 2 -> MEMORY_BYTES + 4096L * random.nextInt(2) + rights;
      case 3, 4 -> rights + (level == 1 ? data() : level == 2 ? DATA + LARGE : LARGE);
      default -> pool.get(random.nextInt(2, pool.size())) + rights;
    };
  }

  private static long data(int page) {
    return DATA + page * 4096L;
  }

  private long data() {
    return data(random.nextInt(DATA_PAGES));
  }

  private void change() {
    int level = random.nextInt(1, 5);
    long table = pool.get(random.nextInt(pool.size()));
    long slot = table + index(level) * 8;
    long before = tables.load(slot);
    // Of those that lead to it now, and will.
    List<Use> uses = uses(slot);
    tables.store(slot, entry(level));
    uses.addAll(uses(slot));
    if ((before & 3) == 0) {
      // What is not present is not kept (6.1): nothing to invalidate.
      return;
    }
    if (random.nextInt(3) == 0 || uses.size() > 40) {
      command(1L << 60);
      return;
    }
    for (Use use : uses) {
      int shift = 9 * (use.level() - 1);
      if (shift > 18) {
        command(2L << 60 | (long) use.domain() << 32);
      } else {
        boolean leavesOnly = use.level() == 1 && random.nextBoolean();
        invalidate(use.domain(), use.iova(), shift, leavesOnly ? 64 : 0);
      }
    }
  }

  private record Use(int domain, int level, long iova) {}

  /// For which addresses an entry counts, and at what level.
  private List<Use> uses(long slot) {
    List<Use> found = new ArrayList<>();
    for (int domain : new int[] {WIDE, NARROW}) {
      uses(found, slot, domain, top(domain), levels(domain), 0);
    }
    return found;
  }

  private void uses(List<Use> found, long slot, int domain, long table, int level, long iova) {
    for (int index : INDICES[level]) {
      long at = table + index * 8L;
      long here = iova | (long) index << (12 + 9 * (level - 1));
      if (at + 8 > MEMORY_BYTES || at < 0) {
        continue;
      }
      if (at == slot) {
        found.add(new Use(domain, level, here));
      }
      long entry = tables.load(at);
      if (level > 1 && isTable(entry, level)) {
        uses(found, slot, domain, entry & 0x000F_FFFF_FFFF_F000L, level - 1, here);
      }
    }
  }

  private void invalidate(int domain, long iova, int addressMask, int hint) {
    machine.write64(IVA, iova | addressMask | hint);
    command(3L << 60 | (long) domain << 32);
  }

  private void command(long command) {
    machine.write64(IOTLB, BIT_63 | command);
    assertThat(machine.read64(IOTLB)).isPositive();
  }

  /// Moves the last device to the other domain.
  private void move() {
    int before = domains[2];
    domains[2] = WIDE + NARROW - before;
    boolean wide = domains[2] == WIDE;
    tables.context(ids.get(2), 0, top(domains[2]), wide ? 2 : 1, domains[2]);
    machine.write64(
        CCMD,
        BIT_63
            | (random.nextBoolean()
                ? 1L << 61
                : 3L << 61 | (long) ids.get(2).value() << 16 | before));
    assertThat(machine.read64(CCMD)).isPositive();
    if (random.nextBoolean()) {
      command(2L << 60 | (long) before << 32);
    }
  }

  // --- the device, and what must come of its access

  /// @return whether it reached memory
  private boolean access() {
    int who = random.nextInt(devices.size());
    DmaContext device = devices.get(who);
    long iova = iova();
    boolean write = random.nextBoolean();
    long address = expected(domains[who], iova, write ? 2 : 1) + 16;
    Word word = new Word();
    long value = random.nextLong();
    TargetAbort abort =
        write
            ? device.store(iova + 16, 8, ByteOrder.LITTLE_ENDIAN, value)
            : device.load(iova + 16, 8, ByteOrder.LITTLE_ENDIAN, word);
    if (address < 16 || address >= MEMORY_BYTES) {
      assertThat(abort).as("0x%x -> 0x%x", iova, address).isNotNull();
      return false;
    }
    assertThat(abort).as("0x%x -> 0x%x", iova, address).isNull();
    assertThat(write ? value : word.asLong()).isEqualTo(tables.load(address));
    return true;
  }

  /// @return -16 or below when it is refused
  private long expected(int domain, long iova, int wanted) {
    int levels = levels(domain);
    boolean interrupt = iova >= 0xFEE0_0000L && iova <= 0xFEEF_FFFFL;
    if (iova >>> (12 + 9 * levels) != 0 || interrupt) {
      return -17;
    }
    long table = top(domain);
    for (int level = levels; ; level--) {
      int shift = 12 + 9 * (level - 1);
      long at = table + (iova >>> shift & 511) * 8;
      if (at < 0 || at + 8 > MEMORY_BYTES) {
        return -17;
      }
      long entry = tables.load(at);
      if ((entry & wanted) != wanted) {
        return -17;
      }
      if (isTable(entry, level)) {
        table = entry & 0x000F_FFFF_FFFF_F000L;
      } else {
        return isPage(entry, level)
            ? (entry & 0x000F_FFFF_FFFF_F000L) | (iova & ((1L << shift) - 1))
            : -17;
      }
    }
  }

  /// 9.8, of a host address width of 48.
  private static boolean isTable(long entry, int level) {
    return level > 1 && (entry & 3) != 0 && (entry & 0x400F_0000_0000_0880L) == 0;
  }

  private static boolean isPage(long entry, int level) {
    long offset = (1L << (12 + 9 * (level - 1))) - 4096;
    return (entry & 3) != 0
        && (level == 1 || (level <= 3 && (entry & 0x80) != 0))
        && (entry & (0x400F_0000_0000_0000L | offset)) == 0;
  }
}
