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
  /// @return a [RadixWalk]
  public long walk(long root, int levels, long iova, Access access) {
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
    for (int level = levels; ; level--) {
      long at = table + (iova >>> shift & indexMask) * Long.BYTES;
      if (window == null || !window.holds(at)) {
        window = tables.window(at);
        if (window == null) {
          return RadixWalk.stop(Cause.UNREADABLE, level);
        }
      }
      long entry = window.load(at);
      rights &= by.rights(entry);
      if (level == 1 || !by.leadsOn(entry, level) || (wanted & ~rights) != 0) {
        return end(at, entry, level, shift, rights, wanted);
      }
      table = by.address(entry);
      shift -= indexBits;
    }
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
