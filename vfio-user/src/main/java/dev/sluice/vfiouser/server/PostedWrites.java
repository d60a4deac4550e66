package dev.sluice.vfiouser.server;

import java.util.Iterator;
import java.util.LinkedHashSet;
import org.jspecify.annotations.Nullable;

/// Message writes that wait to be sent, oldest first. Guarded by the lock of [PeerMemory], but for
/// [#isEmpty()].
///
/// They are interrupts: one that is equal to one that waits says nothing new.
final class PostedWrites {
  /// A message write: 4 bytes to a guest-physical address.
  record Post(long address, int data) {}

  private final LinkedHashSet<Post> waiting = new LinkedHashSet<>();
  private volatile boolean empty = true;

  /// Whether none waits, asked from any thread.
  boolean isEmpty() {
    return empty;
  }

  /// Lets one wait behind the others.
  ///
  /// @return false when too many wait
  boolean add(long address, int data) {
    if (waiting.size() >= Limits.POSTED_WRITES) {
      return false;
    }
    waiting.add(new Post(address, data));
    empty = false;
    return true;
  }

  /// The oldest; null when none waits.
  @Nullable Post first() {
    Iterator<Post> posts = waiting.iterator();
    return posts.hasNext() ? posts.next() : null;
  }

  /// Takes one out that is being sent.
  void remove(Post post) {
    waiting.remove(post);
    empty = waiting.isEmpty();
  }

  /// Puts one back that could not be sent, before all others.
  void putBack(Post post) {
    waiting.addFirst(post);
    empty = false;
  }

  /// Forgets all.
  ///
  /// @return how many there were
  int clear() {
    int forgotten = waiting.size();
    waiting.clear();
    empty = true;
    return forgotten;
  }
}
