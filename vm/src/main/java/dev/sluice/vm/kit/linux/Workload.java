package dev.sluice.vm.kit.linux;

import java.util.List;

/// One way to load a disk.
///
/// @param name in reports: lower-case letters, digits and hyphens, at most 30
/// @param pattern what is done
/// @param blockBytes bytes of one I/O
/// @param depth I/Os in flight
public record Workload(String name, Pattern pattern, int blockBytes, int depth) {
  /// The workloads of a benchmark, in their order: one I/O at a time shows what an I/O costs, many
  /// show what the disk can take, large ones what a byte costs.
  public static final List<Workload> ALL =
      List.of(
          new Workload("randread-4k-qd1", Pattern.RANDOM_READ, 4 << 10, 1),
          new Workload("randread-4k-qd32", Pattern.RANDOM_READ, 4 << 10, 32),
          new Workload("randwrite-4k-qd1", Pattern.RANDOM_WRITE, 4 << 10, 1),
          new Workload("randwrite-4k-qd32", Pattern.RANDOM_WRITE, 4 << 10, 32),
          new Workload("read-128k-qd8", Pattern.READ, 128 << 10, 8),
          new Workload("write-128k-qd8", Pattern.WRITE, 128 << 10, 8));

  /// What is done to the disk.
  public enum Pattern {
    /// Reads, one after the other.
    READ("read"),
    /// Writes, one after the other.
    WRITE("write"),
    /// Reads at random places.
    RANDOM_READ("randread"),
    /// Writes at random places.
    RANDOM_WRITE("randwrite");

    private final String fioWord;

    Pattern(String fioWord) {
      this.fioWord = fioWord;
    }

    /// The value of fio's `rw`.
    String fioWord() {
      return fioWord;
    }

    /// Whether the disk is read.
    public boolean reads() {
      return this == READ || this == RANDOM_READ;
    }
  }

  /// @throws IllegalArgumentException if the name has another form or a number is not positive
  public Workload {
    if (!name.matches("[a-z0-9-]{1,30}") || blockBytes <= 0 || depth <= 0) {
      throw new IllegalArgumentException(name + ": " + depth + " of " + blockBytes + " bytes");
    }
  }

  /// The entry in the guest's parameters.
  String parameter() {
    return "%s,%s,%d,%d".formatted(name, pattern.fioWord(), blockBytes, depth);
  }
}
