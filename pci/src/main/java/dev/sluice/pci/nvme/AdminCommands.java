package dev.sluice.pci.nvme;

import java.lang.foreign.MemorySegment;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The admin command set (NVMe 1.4, chapter 5). Executed one at a time, on the management thread.
final class AdminCommands {
  static final int DELETE_SUBMISSION_QUEUE = 0x00;
  static final int CREATE_SUBMISSION_QUEUE = 0x01;
  static final int GET_LOG_PAGE = 0x02;
  static final int DELETE_COMPLETION_QUEUE = 0x04;
  static final int CREATE_COMPLETION_QUEUE = 0x05;
  static final int IDENTIFY = 0x06;
  static final int ABORT = 0x08;
  static final int SET_FEATURES = 0x09;
  static final int GET_FEATURES = 0x0a;
  static final int ASYNC_EVENT_REQUEST = 0x0c;
  static final int DOORBELL_BUFFER_CONFIG = 0x7c;

  /// Every command of the set that the controller has.
  static final Set<Integer> OPCODES =
      Set.of(
          DELETE_SUBMISSION_QUEUE,
          CREATE_SUBMISSION_QUEUE,
          GET_LOG_PAGE,
          DELETE_COMPLETION_QUEUE,
          CREATE_COMPLETION_QUEUE,
          IDENTIFY,
          ABORT,
          SET_FEATURES,
          GET_FEATURES,
          ASYNC_EVENT_REQUEST,
          DOORBELL_BUFFER_CONFIG);

  /// Bit 0 of the result of Abort: the command was not aborted.
  private static final int NOT_ABORTED = 1;

  private static final int IDENTIFY_NAMESPACE = 0x00;
  private static final int IDENTIFY_CONTROLLER = 0x01;
  private static final int IDENTIFY_ACTIVE_LIST = 0x02;
  private static final int IDENTIFY_DESCRIPTORS = 0x03;

  private static final int SAVE = 1 << 31;
  private static final int SELECT_CURRENT = 0;
  private static final int SELECT_CAPABILITIES = 3;
  private static final int CHANGEABLE = 1 << 2;
  private static final int NAMESPACE_SPECIFIC = 1 << 1;

  private final Namespace namespace;
  private final byte[] controller;
  private final QueueCommands queueCommands;
  private final LogPages logPages;

  /// The commands of a controller.
  ///
  /// @param controller what Identify Controller returns
  AdminCommands(
      Namespace namespace, byte[] controller, QueueCommands queueCommands, LogPages logPages) {
    this.namespace = namespace;
    this.controller = controller;
    this.queueCommands = queueCommands;
    this.logPages = logPages;
  }

  /// Executes the command in `buffers`. From inside `run`.
  ///
  /// @return null if the command stays with the controller for now: a held event request, or a
  ///   deletion that has to wait
  @Nullable Status execute(Run run, CommandBuffers buffers) {
    SubmissionEntry entry = buffers.entry();
    buffers.result(0);
    if (entry.fused()) {
      return Status.INVALID_FIELD;
    }
    return switch (entry.opcode()) {
      case DELETE_SUBMISSION_QUEUE -> deleteSubmissionQueue(run, entry);
      case CREATE_SUBMISSION_QUEUE -> queueCommands.createSubmissionQueue(run, entry);
      case GET_LOG_PAGE -> logPages.get(run, buffers);
      case DELETE_COMPLETION_QUEUE -> queueCommands.deleteCompletionQueue(run, entry);
      case CREATE_COMPLETION_QUEUE -> queueCommands.createCompletionQueue(run, entry);
      case IDENTIFY -> identify(run, buffers);
      case ABORT -> abort(run, buffers);
      case SET_FEATURES -> setFeatures(run, buffers);
      case GET_FEATURES -> getFeatures(run, buffers);
      case ASYNC_EVENT_REQUEST -> asyncEventRequest(run, entry);
      case DOORBELL_BUFFER_CONFIG -> DoorbellBuffers.configure(run, entry);
      default -> Status.INVALID_OPCODE;
    };
  }

  private @Nullable Status deleteSubmissionQueue(Run run, SubmissionEntry entry) {
    SubmissionQueue queue = queueCommands.beginDeletion(run, entry);
    if (queue == null) {
      return Status.INVALID_QUEUE_IDENTIFIER;
    }
    run.deletion(new Run.Deletion(queue, entry.commandId()));
    return null;
  }

  private static @Nullable Status asyncEventRequest(Run run, SubmissionEntry entry) {
    if (!run.events().hold(entry.commandId())) {
      return Status.ASYNCHRONOUS_EVENT_LIMIT_EXCEEDED;
    }
    // A held request may stay for ever: it takes a slot when it is completed.
    run.queues().admin().completions().release();
    return null;
  }

  /// A held event request can be aborted. A command that executes cannot, and one that still lies
  /// in a queue is not looked for (NVMe 1.4, 5.1: the controller does its best, and says whether it
  /// did).
  private static Status abort(Run run, CommandBuffers buffers) {
    int dword10 = buffers.entry().commandDword(10);
    int queueId = dword10 & 0xffff;
    int commandId = dword10 >>> 16;
    if (run.queues().submission(queueId) == null) {
      return Status.INVALID_FIELD;
    }
    boolean aborted = queueId == 0 && run.events().abort(commandId);
    buffers.result(aborted ? 0 : NOT_ABORTED);
    return Status.SUCCESS;
  }

  private Status identify(Run run, CommandBuffers buffers) {
    SubmissionEntry entry = buffers.entry();
    int id = entry.namespaceId();
    return switch (entry.commandDword(10) & 0xff) {
      case IDENTIFY_NAMESPACE ->
          id == Namespace.ID
              ? send(run, buffers, IdentifyNamespace.structure(namespace))
              : Status.INVALID_NAMESPACE;
      case IDENTIFY_CONTROLLER -> send(run, buffers, controller);
      case IDENTIFY_ACTIVE_LIST ->
          Integer.compareUnsigned(id, Namespace.ALL - 1) < 0
              ? send(run, buffers, IdentifyNamespace.activeList(id))
              : Status.INVALID_NAMESPACE;
      case IDENTIFY_DESCRIPTORS ->
          id == Namespace.ID
              ? send(run, buffers, IdentifyNamespace.descriptors(namespace))
              : Status.INVALID_NAMESPACE;
      default -> Status.INVALID_FIELD;
    };
  }

  private Status setFeatures(Run run, CommandBuffers buffers) {
    SubmissionEntry entry = buffers.entry();
    Features features = run.features();
    Features.Id id = Features.Id.of(entry.commandDword(10) & 0xff);
    if (id == null) {
      return Status.INVALID_FIELD;
    }
    if ((entry.commandDword(10) & SAVE) != 0) {
      return Status.FEATURE_NOT_SAVEABLE;
    }
    if (id.namespaceSpecific() && !namespaceNamed(entry.namespaceId())) {
      return Status.INVALID_NAMESPACE;
    }
    if (id == Features.Id.NUMBER_OF_QUEUES && run.queues().hasIoQueues()) {
      return Status.COMMAND_SEQUENCE_ERROR;
    }
    if (id == Features.Id.TIMESTAMP) {
      return setTimestamp(run, buffers);
    }
    int dword11 = entry.commandDword(11);
    Status status = features.set(id, dword11);
    if (status == Status.SUCCESS && id == Features.Id.NUMBER_OF_QUEUES) {
      Integer allocated = features.get(id, dword11, false);
      buffers.result(allocated == null ? 0 : allocated);
    }
    int warnings = HealthLog.criticalWarnings(features);
    if (features.wantsHealthEvent(warnings)) {
      run.events().raise(AsyncEvents.Type.HEALTH, AsyncEvents.TEMPERATURE_THRESHOLD);
    }
    return status;
  }

  private static Status getFeatures(Run run, CommandBuffers buffers) {
    SubmissionEntry entry = buffers.entry();
    Features.Id id = Features.Id.of(entry.commandDword(10) & 0xff);
    int select = entry.commandDword(10) >>> 8 & 0b111;
    if (id == null || select > SELECT_CAPABILITIES) {
      return Status.INVALID_FIELD;
    }
    if (id.namespaceSpecific() && !namespaceNamed(entry.namespaceId())) {
      return Status.INVALID_NAMESPACE;
    }
    if (select == SELECT_CAPABILITIES) {
      buffers.result(CHANGEABLE | (id.namespaceSpecific() ? NAMESPACE_SPECIFIC : 0));
      return Status.SUCCESS;
    }
    // Nothing is saved, so the saved value is the default.
    boolean initial = select != SELECT_CURRENT;
    if (id == Features.Id.TIMESTAMP) {
      byte[] value = new byte[Long.BYTES];
      long now = initial ? 0 : run.features().timestamp().get();
      MemorySegment.ofArray(value).set(Timestamp.LAYOUT, 0, now);
      return send(run, buffers, value);
    }
    Integer value = run.features().get(id, entry.commandDword(11), initial);
    if (value == null) {
      return Status.INVALID_FIELD;
    }
    buffers.result(value);
    return Status.SUCCESS;
  }

  private static Status setTimestamp(Run run, CommandBuffers buffers) {
    Status resolved = DataPointer.ofAdminCommand(run, buffers, Long.BYTES);
    if (resolved != Status.SUCCESS) {
      return resolved;
    }
    MemorySegment bytes = buffers.bounceBytes();
    if (run.dma().read(buffers.data(), 0, bytes, 0, Long.BYTES) != null) {
      return Status.DATA_TRANSFER_ERROR;
    }
    run.features().timestamp().set(bytes.get(Timestamp.LAYOUT, 0));
    return Status.SUCCESS;
  }

  private static boolean namespaceNamed(int id) {
    return id == Namespace.ID || id == Namespace.ALL;
  }

  private static Status send(Run run, CommandBuffers buffers, byte[] data) {
    Status resolved = DataPointer.ofAdminCommand(run, buffers, data.length);
    if (resolved != Status.SUCCESS) {
      return resolved;
    }
    return run.dma().write(buffers.data(), 0, MemorySegment.ofArray(data), 0, data.length) == null
        ? Status.SUCCESS
        : Status.DATA_TRANSFER_ERROR;
  }
}
