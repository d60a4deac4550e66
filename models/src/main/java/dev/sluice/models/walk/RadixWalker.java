package dev.sluice.models.walk;

import dev.sluice.memory.Access;
import dev.sluice.memory.Word;

/// Walks a radix page table from its root to the page of an address.
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

  /// Finds the page of `iova`.
  ///
  /// @param root guest-physical address of the top table
  /// @param levels how many levels the table has, 1 or more
  /// @param iova bits above those that `levels` levels decode are ignored: the caller has checked
  ///   them
  public RadixWalk walk(long root, int levels, long iova, Access access) {
    Word entry = new Word();
    long table = root;
    boolean readable = true;
    boolean writable = true;
    for (int level = levels; ; level--) {
      int shift = RadixFormat.shift(level);
      long index = (iova >>> shift) & ((1L << RadixFormat.INDEX_BITS) - 1);
      if (!tables.load(table + index * Long.BYTES, entry)) {
        return new RadixWalk.Stop(RadixWalk.Cause.UNREADABLE, level);
      }
      RadixFormat.Kind kind = format.kind(entry.asLong(), level);
      if (kind == RadixFormat.Kind.ABSENT) {
        return new RadixWalk.Stop(RadixWalk.Cause.ABSENT, level);
      }
      if (kind == RadixFormat.Kind.MALFORMED) {
        return new RadixWalk.Stop(RadixWalk.Cause.MALFORMED, level);
      }
      readable &= format.readable(entry.asLong());
      writable &= format.writable(entry.asLong());
      if (access.reads() && !readable) {
        return new RadixWalk.Stop(RadixWalk.Cause.NO_READ, level);
      }
      if (access.writes() && !writable) {
        return new RadixWalk.Stop(RadixWalk.Cause.NO_WRITE, level);
      }
      long address = format.address(entry.asLong());
      if (kind == RadixFormat.Kind.PAGE) {
        return new RadixWalk.Page(address, shift, readable, writable);
      }
      table = address;
    }
  }
}
