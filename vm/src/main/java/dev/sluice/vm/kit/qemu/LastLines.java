package dev.sluice.vm.kit.qemu;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/// Keeps the last lines of a stream.
final class LastLines {
  private final int capacity;
  private final Deque<String> lines = new ArrayDeque<>();

  LastLines(int capacity) {
    this.capacity = capacity;
  }

  synchronized void add(String line) {
    if (lines.size() == capacity) {
      lines.removeFirst();
    }
    lines.addLast(line);
  }

  synchronized List<String> toList() {
    return List.copyOf(lines);
  }
}
