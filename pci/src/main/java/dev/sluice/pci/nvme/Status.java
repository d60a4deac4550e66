package dev.sluice.pci.nvme;

/// How a command ended: status code type, status code and whether to try again (NVMe 1.4, 4.6.1).
///
/// ```
///  15    14   13 12  11   9 8         1   0
/// +-----+----+------+------+-----------+---+
/// | DNR | M  | CRD  | SCT  |    SC     | P |      bits 31:16 of dword 3 of a completion
/// +-----+----+------+------+-----------+---+
/// ```
enum Status {
  SUCCESS(0, 0x00, false),
  INVALID_OPCODE(0, 0x01, true),
  INVALID_FIELD(0, 0x02, true),
  DATA_TRANSFER_ERROR(0, 0x04, false),
  INTERNAL_ERROR(0, 0x06, false),
  ABORT_REQUESTED(0, 0x07, false),
  INVALID_NAMESPACE(0, 0x0b, true),
  COMMAND_SEQUENCE_ERROR(0, 0x0c, true),
  INVALID_SGL_SEGMENT_DESCRIPTOR(0, 0x0d, true),
  INVALID_NUMBER_OF_SGL_DESCRIPTORS(0, 0x0e, true),
  DATA_SGL_LENGTH_INVALID(0, 0x0f, true),
  SGL_DESCRIPTOR_TYPE_INVALID(0, 0x11, true),
  PRP_OFFSET_INVALID(0, 0x13, true),
  NAMESPACE_WRITE_PROTECTED(0, 0x20, true),
  LBA_OUT_OF_RANGE(0, 0x80, true),
  COMPLETION_QUEUE_INVALID(1, 0x00, true),
  INVALID_QUEUE_IDENTIFIER(1, 0x01, true),
  INVALID_QUEUE_SIZE(1, 0x02, true),
  ASYNCHRONOUS_EVENT_LIMIT_EXCEEDED(1, 0x05, true),
  INVALID_INTERRUPT_VECTOR(1, 0x08, true),
  INVALID_LOG_PAGE(1, 0x09, true),
  INVALID_QUEUE_DELETION(1, 0x0c, true),
  FEATURE_NOT_SAVEABLE(1, 0x0d, true),
  FEATURE_NOT_CHANGEABLE(1, 0x0e, true),
  WRITE_FAULT(2, 0x80, false),
  UNRECOVERED_READ_ERROR(2, 0x81, false),
  COMPARE_FAILURE(2, 0x85, true);

  private final int field;

  Status(int type, int code, boolean doNotRetry) {
    field = type << 9 | code << 1 | (doNotRetry ? 1 << 15 : 0);
  }

  /// The 16 bits, with the phase tag clear.
  int field() {
    return field;
  }
}
