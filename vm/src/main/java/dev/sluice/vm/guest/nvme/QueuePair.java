package dev.sluice.vm.guest.nvme;

import dev.sluice.vm.guest.dma.DmaBuffer;
import dev.sluice.vm.guest.dma.DmaDirection;
import dev.sluice.vm.guest.dma.DmaMapper;
import dev.sluice.vm.guest.machine.DriverView;
import dev.sluice.vm.guest.machine.HardwareException;
import dev.sluice.vm.guest.machine.Mmio;
import dev.sluice.vm.guest.machine.Ram;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/// A submission queue and the completion queue of its own, a page each (4.1).
///
/// Completions are taken when the interrupt comes, not by looking: a controller that does not
/// interrupt is a broken one.
final class QueuePair {
  /// Entries of a submission queue that fit into a page.
  static final int MOST_ENTRIES = Ram.PAGE / Command.SIZE;

  private final DriverView machine;
  private final Mmio registers;
  private final DmaMapper dma;
  private final int id;
  private final int entries;
  private final long submissionDoorbell;
  private final long completionDoorbell;
  private final DmaBuffer submissions;
  private final DmaBuffer completions;

  /// By id: submitted, and nobody has awaited the end yet.
  private final Map<Integer, Command> submitted = new HashMap<>();

  /// By id: those of [#submitted] that have ended.
  private final Map<Integer, Completion> done = new HashMap<>();

  private int tail;
  private int head;
  private int phase = Completion.PHASE;
  private int nextId;

  /// Empty queues in fresh memory that the controller does not know yet.
  ///
  /// @param id 0 for the admin queues
  /// @param entries 2 to [#MOST_ENTRIES]
  /// @param stride bytes from one doorbell to the next
  QueuePair(DriverView machine, Mmio registers, DmaMapper dma, int id, int entries, int stride)
      throws HardwareException {
    this.machine = machine;
    this.registers = registers;
    this.dma = dma;
    this.id = id;
    this.entries = entries;
    submissionDoorbell = Registers.DOORBELLS + 2L * id * stride;
    completionDoorbell = submissionDoorbell + stride;
    submissions = coherentPage();
    completions = coherentPage();
  }

  private DmaBuffer coherentPage() throws HardwareException {
    return dma.map(new long[] {machine.pages().allocateZeroed()}, DmaDirection.BIDIRECTIONAL);
  }

  int id() {
    return id;
  }

  int entries() {
    return entries;
  }

  /// Where the controller finds the submission queue.
  long submissionAddress() {
    return submissions.busAddress(0);
  }

  /// Where the controller finds the completion queue.
  long completionAddress() {
    return completions.busAddress(0);
  }

  /// How many more commands fit. One entry stays free, or full would look like empty.
  int room() {
    return entries - 1 - submitted.size();
  }

  /// Gives a command to the controller.
  ///
  /// @return its id, for [#await]
  /// @throws IllegalStateException when there is no room
  int submit(Command command) {
    if (room() == 0) {
      throw new IllegalStateException("submission queue " + id + " is full");
    }
    while (submitted.containsKey(nextId)) {
      nextId = (nextId + 1) % entries;
    }
    int commandId = nextId;
    nextId = (nextId + 1) % entries;
    submitted.put(commandId, command);
    machine
        .ram()
        .write(
            submissions.page(0) + (long) tail * Command.SIZE,
            command.encode(commandId),
            0,
            Command.SIZE);
    tail = (tail + 1) % entries;
    registers.write32(submissionDoorbell, tail);
    return commandId;
  }

  /// Waits for a command's end.
  ///
  /// @param commandId from [#submit]; awaited once
  /// @throws HardwareException when it does not come, or the controller gives up
  Completion await(int commandId) throws HardwareException {
    String what = submitted.get(commandId) + " in queue " + id;
    try {
      machine
          .processor()
          .await(
              what + " did not complete",
              () -> {
                checkAlive(what);
                return done.containsKey(commandId);
              });
    } catch (HardwareException e) {
      if (isCompletionWaiting()) {
        throw new HardwareException(
            e.getMessage() + ", though its queue has a completion: the interrupt is missing", e);
      }
      throw e;
    }
    submitted.remove(commandId);
    return Objects.requireNonNull(done.remove(commandId));
  }

  /// Submits a command and waits for its success.
  ///
  /// @throws HardwareException when it fails or does not complete
  Completion execute(Command command) throws HardwareException {
    Completion completion = await(submit(command));
    if (!completion.succeeded()) {
      throw new HardwareException(command + " failed with " + completion.statusText());
    }
    return completion;
  }

  private void checkAlive(String what) throws HardwareException {
    int status = registers.read32(Registers.STATUS);
    if (status == -1 || (status & Registers.FATAL) != 0) {
      throw new HardwareException(
          "the controller has failed (CSTS 0x%x) during %s".formatted(status, what));
    }
  }

  private boolean isCompletionWaiting() {
    int last = machine.ram().load32(entry() + Completion.OFFSET_STATUS);
    return (last & Completion.PHASE) == phase;
  }

  private long entry() {
    return completions.page(0) + (long) head * Completion.SIZE;
  }

  /// The interrupt handler: takes every completion that is there.
  void reap() {
    Ram ram = machine.ram();
    int before = head;
    for (int taken = 0; taken < entries && isCompletionWaiting(); taken++) {
      Completion completion =
          Completion.decode(
              ram.load32(entry()),
              ram.load32(entry() + Completion.OFFSET_QUEUE),
              ram.load32(entry() + Completion.OFFSET_STATUS));
      head = (head + 1) % entries;
      if (head == 0) {
        phase ^= Completion.PHASE;
      }
      if (completion.queue() == id
          && submitted.containsKey(completion.id())
          && !done.containsKey(completion.id())) {
        done.put(completion.id(), completion);
      } else {
        machine.log().warn("nvme: queue %d: %s was not asked for".formatted(id, completion));
      }
    }
    if (head != before) {
      registers.write32(completionDoorbell, head);
    }
  }

  /// Gives the memory back. The controller must have forgotten the queues.
  void release() throws HardwareException {
    for (DmaBuffer buffer : new DmaBuffer[] {submissions, completions}) {
      dma.unmap(buffer);
      machine.pages().free(buffer.page(0));
    }
  }
}
