package dev.sluice.iommu;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The [AccessSection]s of one endpoint, one for each thread that uses it.
final class ThreadSections {
  private static final AccessSection[] NONE = new AccessSection[0];

  /// Hashed by thread; every change makes a new array. A thread looks for its own section, which it
  /// has put there itself: so a reader needs no order.
  private AccessSection[] byThread = new AccessSection[1];

  /// Of the thread that came first and lives: so a device with one thread finds it with one load.
  /// Read without order, like the table.
  private @Nullable AccessSection usual;

  /// All of them. A section is here before it first opens.
  private volatile AccessSection[] all = NONE;

  /// Runs after `all` has changed, before a new section opens.
  private final Runnable changed;

  ThreadSections(Runnable changed) {
    this.changed = changed;
  }

  AccessSection[] all() {
    return all;
  }

  /// The calling thread's section, to be begun.
  AccessSection own() {
    Thread thread = Thread.currentThread();
    AccessSection section = usual;
    if (section == null || !section.isOwnedBy(thread)) {
      section = find(byThread, thread);
    }
    return section.isOpen() ? inner(section) : section;
  }

  private AccessSection find(AccessSection[] table, Thread thread) {
    for (int i = 0; i < table.length; i++) {
      AccessSection section = table[((int) thread.threadId() + i) & (table.length - 1)];
      if (section == null) {
        break;
      }
      if (section.isOwnedBy(thread)) {
        return section;
      }
    }
    return add(thread);
  }

  private synchronized AccessSection add(Thread thread) {
    // Without order, a thread may miss its own section in a table that another has just made.
    for (AccessSection section : all) {
      if (section.isOwnedBy(thread) && !section.isInner()) {
        return section;
      }
    }
    AccessSection made = new AccessSection(thread, false);
    // Those of threads that have died go, unless a mapping outlives its thread.
    AccessSection[] kept = new AccessSection[all.length + 1];
    int count = 0;
    for (AccessSection section : all) {
      if (section.owner().isAlive() || section.isOpen() || section.leases().size() > 0) {
        kept[count++] = section;
      }
    }
    kept[count++] = made;
    publish(Arrays.copyOf(kept, count));
    changed.run();
    return made;
  }

  private void publish(AccessSection[] sections) {
    AccessSection[] table = new AccessSection[Integer.highestOneBit(sections.length) * 4];
    for (AccessSection section : sections) {
      if (!section.isInner()) {
        int place = (int) section.owner().threadId() & (table.length - 1);
        while (table[place] != null) {
          place = (place + 1) & (table.length - 1);
        }
        table[place] = section;
      }
    }
    all = sections;
    byThread = table;
    if (usual != sections[0]) {
      usual = sections[0];
    }
  }

  /// A section within a section: the thread of a device that answers, within its access, to
  /// somebody who makes it access again.
  private AccessSection inner(AccessSection open) {
    AccessSection section = open;
    while (section.isOpen()) {
      AccessSection next = section.inner();
      if (next == null) {
        next = addInner(section);
      }
      section = next;
    }
    return section;
  }

  private synchronized AccessSection addInner(AccessSection outer) {
    AccessSection made = new AccessSection(outer.owner(), true);
    outer.inner(made);
    AccessSection[] more = Arrays.copyOf(all, all.length + 1);
    more[all.length] = made;
    all = more;
    changed.run();
    return made;
  }
}
