package dev.sluice.iommu.model;

import java.util.Arrays;

/// One state of a scenario: the shared variables, and of each thread where it is, its registers and
/// its store buffer. All values are small numbers, a byte each.
///
/// ```text
/// | variables | place, registers, stores pending, (variable, value) ... | next thread ...
/// ```
final class State {
  /// Registers of a thread.
  static final int REGISTERS = 6;

  /// Stores that a thread may have pending; with more to come, it waits.
  static final int BUFFER = 6;

  /// Bit of a pending store's variable: it must not overtake the stores before it.
  static final int RELEASE = 0x40;

  /// In place of a variable: no store behind this overtakes one before it.
  static final int STORE_FENCE = 0x7f;

  private static final int PENDING = 1 + REGISTERS;
  private static final int STORES = PENDING + 1;
  private static final int THREAD = STORES + 2 * BUFFER;

  private final int variables;
  private final byte[] cells;

  State(byte[] initial, int threads) {
    variables = initial.length;
    cells = Arrays.copyOf(initial, variables + threads * THREAD);
  }

  private State(State from) {
    variables = from.variables;
    cells = from.cells.clone();
  }

  State copy() {
    return new State(this);
  }

  int memory(int variable) {
    return cells[variable];
  }

  void memory(int variable, int value) {
    if ((byte) value != value) {
      throw new IllegalArgumentException("not a small number: " + value);
    }
    cells[variable] = (byte) value;
  }

  int place(int thread) {
    return cells[at(thread)];
  }

  void place(int thread, int place) {
    cells[at(thread)] = (byte) place;
  }

  int register(int thread, int register) {
    return cells[at(thread) + 1 + register];
  }

  void register(int thread, int register, int value) {
    cells[at(thread) + 1 + register] = (byte) value;
  }

  int pending(int thread) {
    return cells[at(thread) + PENDING];
  }

  int pendingVariable(int thread, int index) {
    return cells[at(thread) + STORES + 2 * index];
  }

  int pendingValue(int thread, int index) {
    return cells[at(thread) + STORES + 2 * index + 1];
  }

  void addPending(int thread, int variable, int value) {
    int at = at(thread);
    int index = cells[at + PENDING]++;
    cells[at + STORES + 2 * index] = (byte) variable;
    cells[at + STORES + 2 * index + 1] = (byte) value;
  }

  void removePending(int thread, int index) {
    int at = at(thread);
    int left = --cells[at + PENDING];
    int from = at + STORES + 2 * index;
    System.arraycopy(cells, from + 2, cells, from, 2 * (left - index));
    cells[at + STORES + 2 * left] = 0;
    cells[at + STORES + 2 * left + 1] = 0;
  }

  private int at(int thread) {
    return variables + thread * THREAD;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof State state && Arrays.equals(cells, state.cells);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(cells);
  }
}
