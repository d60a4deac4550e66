package dev.sluice.pci.testdev;

import dev.sluice.pci.DwordRegisters;
import dev.sluice.pci.FunctionHost;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// BAR 0: the registers, and from 1000h on the window with the first bytes that the last operation
/// read.
///
/// Registers are written as aligned dwords (a qword is two); a write of another size or alignment
/// is ignored. Reads may have any.
final class TestRegisters extends DwordRegisters {
  private static final int START = 1;
  private static final int RELEASE = 1 << 1;

  private final Engine engine;
  private final int vectors;
  private @Nullable FunctionHost host;
  private final int[] values = new int[TestDevice.WINDOW_OFFSET / 4];
  private final @Nullable Register[] byDword = new @Nullable Register[TestDevice.WINDOW_OFFSET / 4];

  /// Registers in their state after reset.
  ///
  /// @param vectors how many interrupt vectors it has
  TestRegisters(Engine engine, int vectors) {
    this.engine = engine;
    this.vectors = vectors;
    for (Register register : Register.values()) {
      byDword[register.offset() / 4] = register;
    }
  }

  /// The host whose memory operations use; null for none.
  void connect(@Nullable FunctionHost newHost) {
    host = newHost;
  }

  /// Clears what the guest wrote.
  void reset() {
    Arrays.fill(values, 0);
  }

  @Override
  protected int readDword(long offset) {
    if (offset >= TestDevice.WINDOW_OFFSET) {
      return window((int) offset - TestDevice.WINDOW_OFFSET);
    }
    Register register = byDword[(int) offset / 4];
    return register == null ? 0 : value(register);
  }

  private int window(int first) {
    ByteBuffer window = engine.result().window();
    int dword = 0;
    for (int i = 0; i < Integer.BYTES && first + i < window.limit(); i++) {
      dword |= (window.get(first + i) & 0xff) << (8 * i);
    }
    return dword;
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

  @Override
  protected void writeDword(long offset, int value) {
    Register register = offset < TestDevice.WINDOW_OFFSET ? byDword[(int) offset / 4] : null;
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
