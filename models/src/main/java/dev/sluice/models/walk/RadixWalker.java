package dev.sluice.models.walk;

import dev.sluice.memory.Access;
import dev.sluice.memory.RamWindow;
import dev.sluice.models.walk.RadixFormat.Kind;
import dev.sluice.models.walk.RadixWalk.Cause;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/// Walks a radix page table from its root to the page of an address. Allocates nothing.
///
/// At each level, in this order: the entry is loaded, it must map something, have no reserved bit
/// set, and let the access through. So a malformed entry is reported as such whatever its
/// permissions, and nothing below an entry that refuses the access is looked at.
public final class RadixWalker {
  private final TableMemory tables;
  private final RadixFormat format;

  /// A walker of tables in `tables` whose entries mean what `format` says.
  public RadixWalker(TableMemory tables, RadixFormat format) {
    this.tables = tables;
    this.format = format;
  }

  /// Finds the page of `iova`. What is read after it is read after the tables.
  ///
  /// @param root guest-physical address of the top table
  /// @param levels how many levels the table has, 1 to 15
  /// @param iova bits above those that `levels` levels decode are ignored: the caller has checked
  ///   them
  /// @return a [RadixWalk] that ended
  public long walk(long root, int levels, long iova, Access access) {
    long walk = toLastTable(root, levels, iova, access);
    return RadixWalk.isLastTable(walk) ? inLastTable(walk, iova, access) : walk;
  }

  /// The first part of [#walk]: all levels but the last one. What comes of it may be kept and gone
  /// on with later.
  ///
  /// @return a [RadixWalk], before a table of the last level unless it ended above
  public long toLastTable(long root, int levels, long iova, Access access) {
    long walk = descend(root, levels, iova, access.rights());
    VarHandle.acquireFence();
    return walk;
  }

  private long descend(long root, int levels, long iova, int wanted) {
    RadixFormat by = format;
    int indexBits = by.indexBits();
    long indexMask = (1L << indexBits) - 1;
    int shift = by.shift(levels);
    int rights = Access.READ_WRITE.rights();
    long table = root;
    @Nullable RamWindow window = tables.usual();
    for (int level = levels; level > 1; level--) {
      long at = table + (iova >>> shift & indexMask) * Long.BYTES;
      if (window == null || !window.holds(at)) {
        window = tables.window(at);
        if (window == null) {
          return RadixWalk.stop(Cause.UNREADABLE, level);
        }
      }
      long entry = window.load(at);
      rights &= by.rights(entry);
      if (!by.leadsOn(entry, level) || (wanted & ~rights) != 0) {
        return end(at, entry, level, shift, rights, wanted);
      }
      table = by.address(entry);
      shift -= indexBits;
    }
    return RadixWalk.lastTable(table, rights);
  }

  /// The second part of [#walk]: the last level.
  ///
  /// @param walk a [RadixWalk] before a table of the last level, of an address that has the bits
  ///   above this level in common with `iova`, and with the rights that the access needs
  /// @return a [RadixWalk] that ended
  public long inLastTable(long walk, long iova, Access access) {
    long entry = entryInLastTable(walk, iova);
    int rights = RadixWalk.rights(walk) & format.rights(entry);
    return end(
        addressInLastTable(walk, iova), entry, 1, format.pageShift(), rights, access.rights());
  }

  /// The entry of the last level itself. What is read after it is read after the tables.
  ///
  /// @param walk as for [#inLastTable]
  /// @return all ones, also when it cannot be read: [#inLastTable] tells the two apart
  public long entryInLastTable(long walk, long iova) {
    long at = addressInLastTable(walk, iova);
    @Nullable RamWindow window = tables.usual();
    if (window == null || !window.holds(at)) {
      window = tables.window(at);
      if (window == null) {
        return RamWindow.ALL_ONES;
      }
    }
    long entry = window.load(at);
    VarHandle.acquireFence();
    return entry;
  }

  private long addressInLastTable(long walk, long iova) {
    RadixFormat by = format;
    long index = iova >>> by.pageShift() & ((1L << by.indexBits()) - 1);
    return RadixWalk.address(walk) + index * Long.BYTES;
  }

  /// Whatever an entry is at which a walk ends.
  ///
  /// @param rights of all entries as far as this one
  private long end(long at, long entry, int level, int shift, int rights, int wanted) {
    if (entry == RamWindow.ALL_ONES && !tables.isReadable(at)) {
      return RadixWalk.stop(Cause.UNREADABLE, level);
    }
    Kind kind = format.kind(entry, level);
    int lacking = wanted & ~rights;
    if (kind == Kind.PAGE && lacking == 0) {
      return RadixWalk.page(format.address(entry), shift, rights);
    }
    Cause cause =
        kind == Kind.ABSENT
            ? Cause.ABSENT
            : kind == Kind.MALFORMED
                ? Cause.MALFORMED
                : (lacking & Access.READ.rights()) != 0 ? Cause.NO_READ : Cause.NO_WRITE;
    return RadixWalk.stop(cause, level);
  }
}
