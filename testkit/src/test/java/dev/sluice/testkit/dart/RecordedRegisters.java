package dev.sluice.testkit.dart;

import java.util.ArrayList;
import java.util.List;

/// Passes a driver's accesses on to a model, and remembers them as `r20=0` and `w34=8`.
final class RecordedRegisters implements Registers {
  /// How a model reads.
  interface Reader {
    long read(long offset, int size);
  }

  /// How a model is written.
  interface Writer {
    void write(long offset, int size, long value);
  }

  final List<String> accesses = new ArrayList<>();
  private final Reader reader;
  private final Writer writer;

  RecordedRegisters(Reader reader, Writer writer) {
    this.reader = reader;
    this.writer = writer;
  }

  @Override
  public long read(int offset) {
    long value = reader.read(offset, 4);
    accesses.add("r%x=%x".formatted(offset, value));
    return value;
  }

  @Override
  public void write(int offset, long value) {
    accesses.add("w%x=%x".formatted(offset, value));
    writer.write(offset, 4, value);
  }

  /// What was done since this was last asked.
  List<String> take() {
    List<String> taken = List.copyOf(accesses);
    accesses.clear();
    return taken;
  }
}
