package dev.sluice.vm.guest.nvme;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// A submission queue entry, 64 bytes (4.2).
///
/// ```
///   0  31        16 | 15 14 | 9 8  | 7     0      4  namespace
///      command id   | PSDT  | fuse | opcode
///  24  PRP entry 1 (64 bits)                     32  PRP entry 2 (64 bits)
///  40  dwords 10 to 15, by opcode
/// ```
final class Command {
  /// Bytes of an entry.
  static final int SIZE = 64;

  private static final int OFFSET_ID = 2;
  private static final int OFFSET_NAMESPACE = 4;
  private static final int OFFSET_PRP_1 = 24;
  private static final int OFFSET_PRP_2 = 32;
  private static final int OFFSET_DWORD_10 = 40;

  private static final int DELETE_SUBMISSION_QUEUE = 0x00;
  private static final int CREATE_SUBMISSION_QUEUE = 0x01;
  private static final int DELETE_COMPLETION_QUEUE = 0x04;
  private static final int CREATE_COMPLETION_QUEUE = 0x05;
  private static final int IDENTIFY = 0x06;
  private static final int SET_FEATURES = 0x09;
  private static final int ASYNC_EVENT_REQUEST = 0x0C;

  private static final int FLUSH = 0x00;
  private static final int WRITE = 0x01;
  private static final int READ = 0x02;

  private static final int CONTIGUOUS = 1;
  private static final int INTERRUPTS = 1 << 1;

  private final String name;
  private final ByteBuffer bytes = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN);

  private Command(String name, int opcode) {
    this.name = name;
    bytes.put(0, (byte) opcode);
  }

  /// What a structure that is returned says (5.15).
  ///
  /// @param structure CNS
  /// @param into where the 4 KiB go
  static Command identify(int structure, int namespace, long into) {
    return new Command("Identify %d".formatted(structure), IDENTIFY)
        .namespace(namespace)
        .prp(into, 0)
        .dword(10, structure);
  }

  /// Sets a feature (5.21).
  static Command setFeature(int feature, int value) {
    return new Command("Set Features %d".formatted(feature), SET_FEATURES)
        .dword(10, feature)
        .dword(11, value);
  }

  /// Creates a completion queue (5.3).
  static Command createCompletionQueue(int id, int entries, long at, int vector) {
    return new Command("Create I/O Completion Queue", CREATE_COMPLETION_QUEUE)
        .prp(at, 0)
        .dword(10, (entries - 1) << 16 | id)
        .dword(11, vector << 16 | INTERRUPTS | CONTIGUOUS);
  }

  /// Creates a submission queue (5.4).
  static Command createSubmissionQueue(int id, int entries, long at, int completionQueue) {
    return new Command("Create I/O Submission Queue", CREATE_SUBMISSION_QUEUE)
        .prp(at, 0)
        .dword(10, (entries - 1) << 16 | id)
        .dword(11, completionQueue << 16 | CONTIGUOUS);
  }

  /// Deletes a submission queue (5.6).
  static Command deleteSubmissionQueue(int id) {
    return new Command("Delete I/O Submission Queue", DELETE_SUBMISSION_QUEUE).dword(10, id);
  }

  /// Deletes a completion queue (5.5).
  static Command deleteCompletionQueue(int id) {
    return new Command("Delete I/O Completion Queue", DELETE_COMPLETION_QUEUE).dword(10, id);
  }

  /// Completes when the controller has something to tell (5.2).
  static Command asyncEventRequest() {
    return new Command("Asynchronous Event Request", ASYNC_EVENT_REQUEST);
  }

  /// Makes what was written non-volatile (6.8).
  static Command flush(int namespace) {
    return new Command("Flush", FLUSH).namespace(namespace);
  }

  /// Reads or writes blocks (6.9, 6.15).
  ///
  /// @param blocks 1 to 65,536
  static Command transfer(
      boolean write, int namespace, long firstBlock, int blocks, long prp1, long prp2) {
    return new Command(write ? "Write" : "Read", write ? WRITE : READ)
        .namespace(namespace)
        .prp(prp1, prp2)
        .dword(10, (int) firstBlock)
        .dword(11, (int) (firstBlock >>> 32))
        .dword(12, blocks - 1);
  }

  private Command namespace(int namespace) {
    bytes.putInt(OFFSET_NAMESPACE, namespace);
    return this;
  }

  private Command prp(long first, long second) {
    bytes.putLong(OFFSET_PRP_1, first).putLong(OFFSET_PRP_2, second);
    return this;
  }

  private Command dword(int number, int value) {
    bytes.putInt(OFFSET_DWORD_10 + (number - 10) * Integer.BYTES, value);
    return this;
  }

  /// The entry with its command id.
  byte[] encode(int id) {
    byte[] entry = bytes.array().clone();
    entry[OFFSET_ID] = (byte) id;
    entry[OFFSET_ID + 1] = (byte) (id >>> 8);
    return entry;
  }

  /// The command's name in the specification.
  @Override
  public String toString() {
    return name;
  }
}
