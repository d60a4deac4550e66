package dev.sluice.pci.nvme;

import dev.sluice.dma.DmaContext;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import dev.sluice.memory.Word;
import dev.sluice.pci.Bar;
import dev.sluice.pci.BarHandler;
import dev.sluice.pci.FunctionHost;
import dev.sluice.pci.Interrupts;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/// A guest with 16 MiB of RAM and a driver that does what a test tells it to.
final class NvmeGuest implements AutoCloseable, FunctionHost {
  static final long RAM = 16L << 20;
  static final int PAGE = 4096;

  private static final int CC = 0x14;
  private static final int CSTS = 0x1c;
  private static final int ADMIN_ENTRIES = 32;

  /// IOCQES 4, IOSQES 6, EN.
  static final int ENABLE = 4 << 20 | 6 << 16 | 1;

  final GuestMemory memory = new GuestMemory();
  final RecordedInterrupts interrupts = new RecordedInterrupts();
  final NvmeController controller;
  final BarHandler registers;
  private final DmaContext dma;
  private final Map<Integer, Queue> queues = new HashMap<>();
  private long nextPage = PAGE;
  private int nextCommandId = 1;

  /// A pair of queues with the same identifier.
  final class Queue {
    final int id;
    final int entries;
    final long submissions;
    final long completions;
    private int tail;
    private int head;
    private boolean phase = true;

    private Queue(int id, int entries) {
      this.id = id;
      this.entries = entries;
      submissions = pages(16);
      completions = pages(4);
    }

    /// Puts a command into the queue without telling the controller.
    void put(Command command) {
      poke(submissions + 64L * tail, command.bytes());
      tail = (tail + 1) % entries;
    }

    void ringTail() {
      registers.write(0x1000 + 8L * id, 4, tail);
    }

    /// The next result, without telling the controller that it was taken; null if there is none
    /// yet.
    @Nullable Completion poll() {
      long at = completions + 16L * head;
      long second = peekLong(at + 8);
      if ((second >>> 48 & 1) != (phase ? 1 : 0)) {
        return null;
      }
      head++;
      if (head == entries) {
        head = 0;
        phase = !phase;
      }
      return new Completion(
          (int) peekLong(at),
          (int) second & 0xffff,
          (int) (second >>> 16) & 0xffff,
          (int) (second >>> 32) & 0xffff,
          (int) (second >>> 49) & 0x7fff);
    }

    /// Waits for the next result.
    Completion next() {
      return interrupts.awaitValue(this::poll);
    }

    void ringHead() {
      registers.write(0x1004 + 8L * id, 4, head);
    }

    /// Submits a command and waits for its result.
    Completion run(Command command) {
      int id = nextCommandId++ & 0x7fff;
      put(command.id(id));
      ringTail();
      Completion completion = next();
      ringHead();
      if (completion.commandId() != id) {
        throw new AssertionError("expected the result of " + id + ": " + completion);
      }
      return completion;
    }
  }

  NvmeGuest(BlockBackend backend) {
    this(backend, new NvmeConfig("TEST", 8, 3));
  }

  NvmeGuest(BlockBackend backend, NvmeConfig config) {
    memory.addRam(0, RamRegion.allocate(RAM));
    dma = DmaContext.direct(memory, RequesterId.of(0, 5, 0));
    controller = new NvmeController(config, backend);
    registers = controller.bar(0).map(Bar::handler).orElseThrow();
    controller.connect(this);
    controller.config().write(0x04, 2, 0b110);
  }

  @Override
  public DmaContext dma() {
    return dma;
  }

  @Override
  public Interrupts interrupts() {
    return interrupts;
  }

  // --- memory

  /// Zeroed pages that nothing else uses.
  long pages(int count) {
    long first = nextPage;
    nextPage += (long) count * PAGE;
    memory.fill(first, (long) count * PAGE, (byte) 0);
    return first;
  }

  /// Lets the pages that were handed out be handed out again; the controller must not use them any
  /// more.
  void reusePages() {
    nextPage = PAGE;
  }

  void poke(long address, byte[] bytes) {
    memory.write(address, MemorySegment.ofArray(bytes), 0, bytes.length);
  }

  void pokeLong(long address, long value) {
    memory.store(address, 8, ByteOrder.LITTLE_ENDIAN, value);
  }

  byte[] peek(long address, int length) {
    byte[] bytes = new byte[length];
    memory.read(address, MemorySegment.ofArray(bytes), 0, length);
    return bytes;
  }

  long peekLong(long address) {
    Word word = new Word();
    memory.load(address, 8, ByteOrder.LITTLE_ENDIAN, word);
    return word.asLong();
  }

  int peekInt(long address) {
    Word word = new Word();
    memory.load(address, 4, ByteOrder.LITTLE_ENDIAN, word);
    return word.asInt();
  }

  // --- the controller

  int status() {
    return (int) registers.read(CSTS, 4);
  }

  void awaitStatus(int mask, int value) {
    while ((status() & mask) != value) {
      Thread.onSpinWait();
    }
  }

  void configure(int cc) {
    registers.write(CC, 4, cc);
  }

  /// Writes AQA, ASQ and ACQ for fresh admin queues.
  Queue programAdminQueue() {
    Queue admin = new Queue(0, ADMIN_ENTRIES);
    queues.clear();
    queues.put(0, admin);
    registers.write(0x24, 4, (ADMIN_ENTRIES - 1) << 16 | (ADMIN_ENTRIES - 1));
    registers.write(0x28, 8, admin.submissions);
    registers.write(0x30, 8, admin.completions);
    return admin;
  }

  /// Enables the controller with fresh admin queues and waits until it is ready.
  NvmeGuest enable() {
    programAdminQueue();
    configure(ENABLE);
    awaitStatus(0b11, 1);
    return this;
  }

  /// Disables the controller and waits until it is.
  void disable() {
    configure(0);
    awaitStatus(1, 0);
  }

  Queue admin() {
    return queue(0);
  }

  Queue queue(int id) {
    Queue queue = queues.get(id);
    if (queue == null) {
      throw new IllegalStateException("no queue " + id);
    }
    return queue;
  }

  Completion admin(Command command) {
    return admin().run(command);
  }

  /// Creates a pair of I/O queues whose interrupt vector is their identifier.
  Queue createQueues(int id, int entries) {
    Queue queue = new Queue(id, entries);
    int created = admin(Command.createCompletionQueue(id, entries, id, queue.completions)).status();
    int second = admin(Command.createSubmissionQueue(id, entries, id, queue.submissions)).status();
    if (created != 0 || second != 0) {
      throw new AssertionError("queues were refused: " + created + ", " + second);
    }
    queues.put(id, queue);
    return queue;
  }

  /// Runs an I/O command on queue 1, which is made if need be.
  Completion io(Command command) {
    Queue queue = queues.get(1);
    return (queue == null ? createQueues(1, 16) : queue).run(command);
  }

  /// Resets the function from outside and waits for the end of it.
  void resetFunction() {
    CountDownLatch done = new CountDownLatch(1);
    controller.reset(done::countDown);
    try {
      done.await();
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted while waiting for a reset", e);
    }
  }

  @Override
  public void close() {
    controller.close();
    dma.close();
    memory.remove(0, -1, () -> {});
  }
}
