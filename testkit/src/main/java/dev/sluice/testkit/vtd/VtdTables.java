package dev.sluice.testkit.vtd;

import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;
import dev.sluice.testkit.TableStore;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/// Builds root, context and second-stage tables of legacy mode in guest memory (VT-d specification
/// 9.1, 9.3, 9.8), four levels of them.
///
/// ```
///  second-stage entry   63          12 11      8   7  6        2  1 0
///                      | page or table |    0   | PS |     0    | W R |
/// ```
public final class VtdTables {
  /// Bytes of a table.
  public static final int BYTES = 4096;

  private static final int LEVELS = 4;
  private static final int BITS_PER_LEVEL = 9;
  private static final long READ = 1;
  private static final long WRITE = 1 << 1;
  private static final long LARGE = 1 << 7;
  private static final long PRESENT = 1;
  private static final long WIDTH_48 = 2;
  private static final long ADDRESS = 0x000F_FFFF_FFFF_F000L;

  /// How much a table of the last level is for, 2 MiB.
  static final long BYTES_OF_LAST_TABLE = 1 << 21;

  private static final long IN_TABLE = 0xFFF;
  private static final int ORDER_OF_LAST_TABLE = 9;

  /// How many tables lie idle before one of them is used again.
  private static final int IDLE = 8;

  /// A table of the last level that has taken the place of another, by which devices may still go.
  record Move(long from, long to) {}

  private final TableStore memory;
  private final long root;
  private final long contexts;

  /// By the table that has taken another's place, that other. Guarded by this.
  private final Map<Long, Long> moving = new HashMap<>();

  /// Tables that nobody uses any more. Guarded by this.
  private final Queue<Long> idle = new ArrayDeque<>();

  /// Tables for the functions of bus 0.
  public VtdTables(TableStore memory) {
    this.memory = memory;
    root = memory.table(BYTES);
    contexts = memory.table(BYTES);
    memory.store(root, contexts | PRESENT);
  }

  /// Address of the root table.
  public long root() {
    return root;
  }

  /// An empty second-stage table.
  public long table() {
    return memory.table(BYTES);
  }

  /// Writes an entry for 4 KiB (order 0), 2 MiB (order 9) or 1 GiB (order 18).
  public void map(long table, long iova, long address, int order, Access rights) {
    long bits = (rights.reads() ? READ : 0) | (rights.writes() ? WRITE : 0);
    change(table, iova, order, address | bits | (order == 0 ? 0 : LARGE));
  }

  /// Clears an entry.
  public void unmap(long table, long iova, int order) {
    change(table, iova, order, 0);
  }

  /// While devices may go by either of two tables, an entry has to be right in both.
  private synchronized void change(long top, long iova, int order, long value) {
    long entry = entry(top, iova, order);
    memory.store(entry, value);
    Long from = moving.get(entry & ~IN_TABLE);
    if (from != null) {
      memory.store(from | (entry & IN_TABLE), value);
    }
  }

  /// Moves the last table that leads to a page of 4 KiB. The guest then has to have everything that
  /// the table is for invalidated with IH clear: any walk may be at it.
  ///
  /// @return null when there is none, or it is on the move
  synchronized @Nullable Move beginMove(long top, long iova) {
    long directory = entry(top, iova, ORDER_OF_LAST_TABLE);
    long from = memory.load(directory) & ADDRESS;
    if (from == 0 || (memory.load(directory) & LARGE) != 0 || moving.containsKey(from)) {
      return null;
    }
    Long spare = idle.size() < IDLE ? null : idle.poll();
    long to = spare == null ? memory.table(BYTES) : spare;
    for (long at = 0; at < BYTES; at += Long.BYTES) {
      memory.store(to + at, memory.load(from + at));
    }
    moving.put(to, from);
    memory.store(directory, to | READ | WRITE);
    return new Move(from, to);
  }

  /// Once the invalidation is complete: from now on the old table leads each page to its
  /// neighbour's memory.
  synchronized void endMove(Move move) {
    moving.remove(move.to());
    for (long at = 0; at < BYTES; at += Long.BYTES) {
      memory.store(move.from() + at, memory.load(move.to() + (at + Long.BYTES) % BYTES));
    }
    idle.add(move.from());
  }

  /// Where the entry of an address is; makes the tables above it.
  private synchronized long entry(long top, long iova, int order) {
    long table = top;
    int last = 1 + order / BITS_PER_LEVEL;
    for (int level = LEVELS; level > last; level--) {
      long entry = table + index(iova, level);
      if (memory.load(entry) == 0) {
        memory.store(entry, memory.table(BYTES) | READ | WRITE);
      }
      table = memory.load(entry) & ADDRESS;
    }
    return table + index(iova, last);
  }

  private static long index(long iova, int level) {
    return ((iova >>> (12 + BITS_PER_LEVEL * (level - 1))) & 511) * Long.BYTES;
  }

  /// Gives a function, which has none, a second-stage table. The half with the present bit comes
  /// last.
  public void bind(RequesterId function, long table, int domain) {
    long entry = contextEntry(function);
    memory.store(entry + Long.BYTES, (long) domain << 8 | WIDTH_48);
    memory.store(entry, table | PRESENT);
  }

  /// Takes a function's table away.
  public void unbind(RequesterId function) {
    memory.store(contextEntry(function), 0);
  }

  private long contextEntry(RequesterId function) {
    if (function.bus() != 0) {
      throw new IllegalArgumentException("bus 0 alone has a context table");
    }
    return contexts + function.value() * 16L;
  }
}
