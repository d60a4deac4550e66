package dev.sluice.pci.nvme;

import java.util.BitSet;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The feature values of one run of the controller (NVMe 1.4, 5.21.1). A reset brings the defaults
/// back; none can be saved.
final class Features {
  /// Each feature that the controller has: its identifier, its default and the bits of command
  /// dword 11 that are kept.
  enum Id {
    /// Bursts and weights; the controller takes one command from each queue in turn, whatever they
    /// say.
    ARBITRATION(0x01, 0, 0xffff_ff07),
    /// The power state; there is only 0.
    POWER_MANAGEMENT(0x02, 0, 0xff),
    /// The temperatures at which a health event is raised; kept apart, since each sensor and
    /// direction has one.
    TEMPERATURE_THRESHOLD(0x04, HealthLog.WARNING_TEMPERATURE, 0xffff),
    /// TLER; nothing is retried, so the limit is always met.
    ERROR_RECOVERY(0x05, 0, 0xffff),
    /// WCE: whether writes may stay in the host's page cache until a Flush.
    VOLATILE_WRITE_CACHE(0x06, 1, 1),
    /// How many I/O queues the guest may create; the default and value are known to [Features].
    NUMBER_OF_QUEUES(0x07, 0, 0),
    /// Aggregation; interrupts are sent with each completion, which no threshold forbids.
    INTERRUPT_COALESCING(0x08, 0, 0xffff),
    /// Per vector, whether aggregation is off.
    INTERRUPT_VECTOR_CONFIGURATION(0x09, 0, 0x1_ffff),
    /// DN; single blocks are atomic either way.
    WRITE_ATOMICITY(0x0a, 0, 1),
    /// Which events are raised: critical warnings and changed namespaces.
    ASYNCHRONOUS_EVENT_CONFIGURATION(0x0b, 0, 0x1ff),
    /// The guest's time of day; its data is an eight-byte structure.
    TIMESTAMP(0x0e, 0, 0);

    private final int code;
    private final int initial;
    private final int kept;

    Id(int code, int initial, int kept) {
      this.code = code;
      this.initial = initial;
      this.kept = kept;
    }

    /// Whether a command about it names a namespace.
    boolean namespaceSpecific() {
      return this == ERROR_RECOVERY;
    }

    /// The feature with this identifier, if the controller has it.
    static @Nullable Id of(int code) {
      for (Id id : values()) {
        if (id.code == code) {
          return id;
        }
      }
      return null;
    }
  }

  private static final int COALESCING_DISABLED = 1 << 16;

  /// DULBE of Error Recovery: errors for deallocated blocks, which the namespace does not have.
  private static final int BLOCK_ERRORS = 1 << 16;

  private static final int NAMESPACE_NOTICES = 1 << 8;

  private final Map<Id, Integer> values = new EnumMap<>(Id.class);
  private final BitSet uncoalescedVectors = new BitSet();
  private final Timestamp timestamp = new Timestamp();
  private final int maxIoQueues;
  private final int vectors;
  private int underTemperature;
  private volatile boolean writeCacheEnabled = true;

  /// Every feature at its default.
  Features(NvmeConfig config) {
    maxIoQueues = config.maxIoQueues();
    vectors = config.vectors();
    for (Id id : Id.values()) {
      values.put(id, id.initial);
    }
    values.put(Id.NUMBER_OF_QUEUES, queues(maxIoQueues, maxIoQueues));
  }

  Timestamp timestamp() {
    return timestamp;
  }

  /// WCE. Read by worker threads, changed by the management thread.
  boolean writeCacheEnabled() {
    return writeCacheEnabled;
  }

  /// How many I/O submission queues the guest may create.
  int submissionQueues() {
    return (value(Id.NUMBER_OF_QUEUES) & 0xffff) + 1;
  }

  /// How many I/O completion queues the guest may create.
  int completionQueues() {
    return (value(Id.NUMBER_OF_QUEUES) >>> 16) + 1;
  }

  /// Whether the guest wants a health event for these critical warnings.
  boolean wantsHealthEvent(int criticalWarnings) {
    return (value(Id.ASYNCHRONOUS_EVENT_CONFIGURATION) & criticalWarnings) != 0;
  }

  /// Whether the guest wants to hear of changed namespaces.
  boolean wantsNamespaceNotices() {
    return (value(Id.ASYNCHRONOUS_EVENT_CONFIGURATION) & NAMESPACE_NOTICES) != 0;
  }

  /// Whether `kelvin` is at or beyond a threshold.
  synchronized boolean beyondThreshold(int kelvin) {
    return kelvin >= value(Id.TEMPERATURE_THRESHOLD) || kelvin <= underTemperature;
  }

  /// Takes a new value.
  ///
  /// @param dword11 command dword 11
  synchronized Status set(Id id, int dword11) {
    return switch (id) {
      case POWER_MANAGEMENT -> keep(id, dword11, (dword11 & 0x1f) == 0);
      case TEMPERATURE_THRESHOLD -> setTemperature(dword11);
      case ERROR_RECOVERY -> keep(id, dword11, (dword11 & BLOCK_ERRORS) == 0);
      case VOLATILE_WRITE_CACHE -> {
        writeCacheEnabled = (dword11 & 1) != 0;
        yield keep(id, dword11, true);
      }
      case NUMBER_OF_QUEUES -> setQueues(dword11);
      case INTERRUPT_VECTOR_CONFIGURATION -> {
        int vector = dword11 & 0xffff;
        if (vector >= vectors) {
          yield Status.INVALID_FIELD;
        }
        uncoalescedVectors.set(vector, (dword11 & COALESCING_DISABLED) != 0);
        yield Status.SUCCESS;
      }
      case TIMESTAMP -> Status.INVALID_FIELD;
      case ARBITRATION, INTERRUPT_COALESCING, WRITE_ATOMICITY, ASYNCHRONOUS_EVENT_CONFIGURATION ->
          keep(id, dword11, true);
    };
  }

  /// The value as a completion's dword 0 has it.
  ///
  /// @param dword11 command dword 11, which some features want to know more from
  /// @param initial whether the default is asked for
  /// @return null if dword 11 asks for what does not exist
  synchronized @Nullable Integer get(Id id, int dword11, boolean initial) {
    return switch (id) {
      case TEMPERATURE_THRESHOLD -> {
        boolean composite = (dword11 >>> 16 & 0xf) == 0;
        int select = dword11 >>> 20 & 0b11;
        if (!composite || select > 1) {
          yield null;
        }
        yield select == 1 ? (initial ? 0 : underTemperature) : initial ? id.initial : value(id);
      }
      case NUMBER_OF_QUEUES -> initial ? queues(maxIoQueues, maxIoQueues) : value(id);
      case INTERRUPT_VECTOR_CONFIGURATION -> {
        int vector = dword11 & 0xffff;
        if (vector >= vectors) {
          yield null;
        }
        boolean disabled = !initial && uncoalescedVectors.get(vector);
        yield vector | (disabled ? COALESCING_DISABLED : 0);
      }
      default -> initial ? id.initial : value(id);
    };
  }

  private Status keep(Id id, int dword11, boolean valid) {
    if (!valid) {
      return Status.INVALID_FIELD;
    }
    values.put(id, dword11 & id.kept);
    return Status.SUCCESS;
  }

  /// TMPSEL 0 is the composite temperature and 0xf all; the controller has no other sensor.
  private Status setTemperature(int dword11) {
    int sensor = dword11 >>> 16 & 0xf;
    int select = dword11 >>> 20 & 0b11;
    if ((sensor != 0 && sensor != 0xf) || select > 1) {
      return Status.INVALID_FIELD;
    }
    if (select == 1) {
      underTemperature = dword11 & 0xffff;
      return Status.SUCCESS;
    }
    return keep(Id.TEMPERATURE_THRESHOLD, dword11, true);
  }

  private Status setQueues(int dword11) {
    int submission = dword11 & 0xffff;
    int completion = dword11 >>> 16;
    if (submission == 0xffff || completion == 0xffff) {
      return Status.INVALID_FIELD;
    }
    values.put(
        Id.NUMBER_OF_QUEUES,
        queues(Math.min(submission + 1, maxIoQueues), Math.min(completion + 1, maxIoQueues)));
    return Status.SUCCESS;
  }

  private static int queues(int submission, int completion) {
    return (completion - 1) << 16 | (submission - 1);
  }

  private synchronized int value(Id id) {
    Integer value = values.get(id);
    return value == null ? id.initial : value;
  }
}
