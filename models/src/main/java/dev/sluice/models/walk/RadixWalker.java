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
    @Nullable RamWindow window = null;
    for (int level = levels; ; level--) {
      long at = table + (iova >>> shift & indexMask) * Long.BYTES;
      if (window == null || !window.holds(at)) {
        window = tables.window(at);
        if (window == null) {
          return RadixWalk.stop(Cause.UNREADABLE, level);
        }
      }
      long entry = window.load(at);
      if (entry == RamWindow.ALL_ONES && !tables.isReadable(at)) {
        return RadixWalk.stop(Cause.UNREADABLE, level);
      }
      Kind kind = by.kind(entry, level);
      if (kind == Kind.ABSENT) {
        return RadixWalk.stop(Cause.ABSENT, level);
      }
      if (kind == Kind.MALFORMED) {
        return RadixWalk.stop(Cause.MALFORMED, level);
      }
      rights &= by.rights(entry);
      int lacking = wanted & ~rights;
      if (lacking != 0) {
        boolean read = (lacking & Access.READ.rights()) != 0;
        return RadixWalk.stop(read ? Cause.NO_READ : Cause.NO_WRITE, level);
      }
      long address = by.address(entry);
      if (kind == Kind.PAGE) {
        return RadixWalk.page(address, shift, rights);
      }
      table = address;
      shift -= indexBits;
    }
  }
}
