package dev.sluice.pci.testdev;

import dev.sluice.pci.FunctionHost;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A channel of the device: its registers, and the engine that does what they say. Offsets are from
/// the start of the channel.
final class Channel {
  private static final int START = 1;
  private static final int RELEASE = 1 << 1;

  private final Engine engine;
  private final int vectors;
  private @Nullable FunctionHost host;
  private final int[] values = new int[TestDevice.CHANNEL_BYTES / 4];
  private final @Nullable Register[] byDword = new @Nullable Register[TestDevice.CHANNEL_BYTES / 4];

  /// An idle channel with its registers in their state after reset.
  ///
  /// @param name of its thread
  /// @param vectors how many interrupt vectors the device has
  Channel(String name, int vectors) {
    this.engine = new Engine(name);
    this.vectors = vectors;
    for (Register register : Register.values()) {
      byDword[register.offset() / 4] = register;
    }
  }

  /// The host whose memory operations use; null for none.
  void connect(@Nullable FunctionHost newHost) {
    host = newHost;
  }

  /// Starts its thread.
  void open() {
    engine.open();
  }

  /// Clears what the guest wrote and ends what is under way.
  ///
  /// @param completed runs when no access to memory of it can happen any more
  void reset(Runnable completed) {
    Arrays.fill(values, 0);
    engine.cancel(completed);
  }

  /// Ends its thread and waits for it.
  void close() {
    engine.close();
  }

  /// How the last operation ended.
  Result result() {
    return engine.result();
  }

  int readDword(int offset) {
    Register register = byDword[offset / 4];
    return register == null ? 0 : value(register);
  }

  private int value(Register register) {
    Result result = engine.result();
    return switch (register) {
      case ID -> TestDevice.MAGIC;
      case STATUS -> engine.status();
      case CONTROL -> 0;
      case MOVED_LOW -> (int) result.moved();
      case MOVED_HIGH -> (int) (result.moved() >>> 32);
      case ABORT_REASON -> result.abortCode();
      case FAULT_CODE -> result.faultCode();
      case ABORT_IOVA_LOW -> (int) result.abortIova();
      case ABORT_IOVA_HIGH -> (int) (result.abortIova() >>> 32);
      case CHECKSUM -> result.checksum();
      case WITNESS_LOW -> (int) result.witness();
      case WITNESS_HIGH -> (int) (result.witness() >>> 32);
      case ENDED -> engine.ended();
      default -> values[register.offset() / 4];
    };
  }

  void writeDword(int offset, int value) {
    Register register = byDword[offset / 4];
    if (register == Register.CONTROL) {
      control(value);
    } else if (register != null) {
      values[register.offset() / 4] = value & register.writable();
    }
  }

  private void control(int value) {
    if ((value & RELEASE) != 0) {
      engine.release();
    }
    if ((value & START) != 0) {
      engine.start(job());
    }
  }

  /// What the registers ask for; null if it is impossible.
  private @Nullable Job job() {
    Operation operation = Operation.of(written(Register.OPERATION));
    FunctionHost connected = host;
    if (operation == null || connected == null) {
      return null;
    }
    int vector = written(Register.VECTOR);
    Job job =
        new Job(
            connected,
            operation,
            pair(Register.IOVA_LOW, Register.IOVA_HIGH),
            written(Register.LENGTH),
            Math.max(1, written(Register.COUNT)),
            written(Register.STRIDE),
            written(Register.HOLD),
            written(Register.SEED),
            vector >= 0 && vector < vectors ? vector : -1,
            pair(Register.OPERAND_LOW, Register.OPERAND_HIGH),
            pair(Register.COMPARE_LOW, Register.COMPARE_HIGH));
    return job.possible() ? job : null;
  }

  private int written(Register register) {
    return values[register.offset() / 4];
  }

  private long pair(Register low, Register high) {
    return (long) written(high) << 32 | Integer.toUnsignedLong(written(low));
  }
}
