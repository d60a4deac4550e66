package dev.sluice.testkit.vfiouser;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.sluice.vfiouser.transport.Attachment;
import dev.sluice.vfiouser.transport.Channel;
import dev.sluice.vfiouser.transport.UnixChannel;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A vfio-user client under a test's control. It sends what it is told to, right or wrong, and
/// hands out what comes back. For one thread.
///
/// While it waits for a reply it serves the server's DMA_READ and DMA_WRITE from a [PeerRam], if it
/// was given one; without one they are kept, as QEMU does while its main loop is busy.
public final class VfioUserClient implements AutoCloseable {
  /// The VERSION capabilities that QEMU 10.2 and 11.1 send.
  public static final String QEMU_CAPABILITIES =
      "{\"capabilities\": {\"pgsizes\": 4096, \"max_msg_fds\": 16, \"max_dma_maps\": 65535, "
          + "\"max_data_xfer_size\": 1048576, \"migration\": {\"max_bitmap_size\": 268435456, "
          + "\"pgsize\": 4096}, \"write_multiple\": true}}";

  private static final int HEADER = 16;
  private static final int NO_REPLY = 0x10;
  private static final int REPLY = 1;
  private static final int ERROR = 0x20;
  private static final int DMA_READ = 11;
  private static final int DMA_WRITE = 12;

  /// Longer than any limit of the server's: a reply that takes more is missing.
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Channel channel;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment header = arena.allocate(HEADER);
  private final Deque<Message> requests = new ArrayDeque<>();
  private @Nullable PeerRam ram;
  private int nextId = 0x1000;
  private boolean closed;

  /// A client at the end of `channel`, which it closes.
  public VfioUserClient(Channel channel) {
    this.channel = channel;
  }

  /// A client of the server at `path`.
  public static VfioUserClient connect(Path path) throws IOException {
    return new VfioUserClient(UnixChannel.connect(path, PATIENCE));
  }

  /// Serves the server's memory messages from `served` from now on, or keeps them.
  public void serve(@Nullable PeerRam served) {
    ram = served;
  }

  /// Sends a command that wants a reply.
  ///
  /// @return its id
  public int send(int command, byte[] payload, Attachment... attachments) throws IOException {
    return send(command, 0, payload, attachments);
  }

  /// Sends a command that wants no reply.
  public int post(int command, byte[] payload, Attachment... attachments) throws IOException {
    return send(command, NO_REPLY, payload, attachments);
  }

  /// Sends a command and waits for its reply.
  public Message call(int command, byte[] payload, Attachment... attachments) throws IOException {
    return reply(send(command, payload, attachments));
  }

  private int send(int command, int flags, byte[] payload, Attachment... attachments)
      throws IOException {
    int id = nextId++ & 0xffff;
    sendRaw(message(id, command, flags, 0, payload), attachments);
    return id;
  }

  private static byte[] message(int id, int command, int flags, int errno, byte[] payload) {
    return ByteBuffer.allocate(HEADER + payload.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putShort((short) id)
        .putShort((short) command)
        .putInt(HEADER + payload.length)
        .putInt(flags)
        .putInt(errno)
        .put(payload)
        .array();
  }

  /// Sends any bytes.
  public void sendRaw(byte[] bytes, Attachment... attachments) throws IOException {
    try (Arena once = Arena.ofConfined()) {
      MemorySegment segment = once.allocate(Math.max(1, bytes.length));
      MemorySegment.copy(bytes, 0, segment, JAVA_BYTE, 0, bytes.length);
      channel.send(segment, 0, bytes.length, List.of(attachments));
    }
  }

  /// Waits for the reply of that id, which has to be the next that comes.
  public Message reply(int id) throws IOException {
    while (true) {
      Message message = receive();
      if (message == null) {
        throw new AssertionError("the server ended the connection instead of a reply");
      }
      if (!message.isReply()) {
        takeRequest(message);
      } else if (message.id() == id) {
        return message;
      } else {
        throw new AssertionError("reply to " + message.id() + " where that to " + id + " is due");
      }
    }
  }

  private void takeRequest(Message message) throws IOException {
    PeerRam serving = ram;
    if (serving == null) {
      requests.add(message);
    } else {
      answer(message, serving);
    }
  }

  /// Waits for the server's next request, and leaves it unanswered.
  public Message request() throws IOException {
    Message kept = requests.poll();
    if (kept != null) {
      return kept;
    }
    Message message = receive();
    if (message == null || message.isReply()) {
      throw new AssertionError("not a request: " + message);
    }
    return message;
  }

  /// Answers a request of the server as a client with `served` does.
  public void answer(Message request, PeerRam served) throws IOException {
    switch (request.command()) {
      case DMA_READ -> answer(request, served.read(request));
      case DMA_WRITE -> answer(request, served.write(request));
      default -> throw new AssertionError("the server sent command " + request.command());
    }
  }

  private void answer(Message request, byte @Nullable [] payload) throws IOException {
    if (payload == null) {
      refuse(request, 19);
    } else {
      sendRaw(message(request.id(), request.command(), REPLY, 0, payload));
    }
  }

  /// Answers a request of the server with an error.
  public void refuse(Message request, int errno) throws IOException {
    sendRaw(message(request.id(), request.command(), REPLY | ERROR, errno, new byte[0]));
  }

  /// Receives the next message, of either kind.
  ///
  /// @return null at the end of the stream
  public @Nullable Message receive() throws IOException {
    List<Attachment> attachments = new ArrayList<>();
    if (!fill(header, attachments)) {
      return null;
    }
    int size = header.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN).getInt(4);
    byte[] bytes = new byte[size];
    MemorySegment.copy(header, JAVA_BYTE, 0, bytes, 0, HEADER);
    if (bytes.length > HEADER) {
      try (Arena once = Arena.ofConfined()) {
        MemorySegment rest = once.allocate(bytes.length - HEADER);
        if (!fill(rest, attachments)) {
          throw new AssertionError("the server ended the connection within a message");
        }
        MemorySegment.copy(rest, JAVA_BYTE, 0, bytes, HEADER, bytes.length - HEADER);
      }
    }
    return Message.parse(bytes, attachments);
  }

  private boolean fill(MemorySegment into, List<Attachment> attachments) throws IOException {
    long have = 0;
    while (have < into.byteSize()) {
      if (channel.await(true, PATIENCE.toNanos()) == 0) {
        throw new AssertionError("nothing from the server for " + PATIENCE);
      }
      long got = channel.receive(into, have, into.byteSize() - have, attachments);
      if (got < 0) {
        if (have > 0) {
          throw new AssertionError("the server ended the connection within a message");
        }
        return false;
      }
      have += got;
    }
    return true;
  }

  /// Whether something from the server is waiting, or it has ended.
  public boolean hasMessage() throws IOException {
    return hasMessage(Duration.ZERO);
  }

  /// Whether something from the server comes, or it ends, within `time`.
  public boolean hasMessage(Duration time) throws IOException {
    return channel.await(true, time.toNanos()) != 0;
  }

  /// Agrees on version 0.0 as QEMU does.
  public Message negotiate() throws IOException {
    return call(1, new Payload().u16(0).u16(0).text(QEMU_CAPABILITIES).toBytes());
  }

  /// DMA_MAP with rights to read and, if `writable`, to write.
  public Message map(long iova, long size, long offset, boolean writable, Attachment... memory)
      throws IOException {
    return call(2, mapping(iova, size, offset, writable ? 3 : 1), memory);
  }

  /// The payload of a DMA_MAP.
  public static byte[] mapping(long iova, long size, long offset, int flags) {
    return new Payload().u32(32).u32(flags).u64(offset).u64(iova).u64(size).toBytes();
  }

  /// DMA_UNMAP of a range.
  public Message unmap(long iova, long size) throws IOException {
    return call(3, unmapping(iova, size, 0));
  }

  /// The payload of a DMA_UNMAP.
  public static byte[] unmapping(long iova, long size, int flags) {
    return new Payload().u32(24).u32(flags).u64(iova).u64(size).toBytes();
  }

  /// REGION_READ.
  ///
  /// @return the bytes
  public byte[] read(int region, long offset, int count) throws IOException {
    Message reply = call(9, access(region, offset, count));
    if (reply.isError()) {
      throw new AssertionError("read refused with errno " + reply.errno());
    }
    return reply.bytes(16);
  }

  /// REGION_WRITE that waits for the reply.
  public Message write(int region, long offset, byte... data) throws IOException {
    return call(10, access(region, offset, data.length, data));
  }

  /// REGION_WRITE without a reply, as QEMU writes memory BARs.
  public void postWrite(int region, long offset, byte... data) throws IOException {
    post(10, access(region, offset, data.length, data));
  }

  /// The payload of REGION_READ and, with data, of REGION_WRITE.
  public static byte[] access(int region, long offset, int count, byte... data) {
    return new Payload().u64(offset).u32(region).u32(count).bytes(data).toBytes();
  }

  /// DEVICE_SET_IRQS.
  public Message setIrqs(int flags, int index, int start, int count, Attachment... events)
      throws IOException {
    return call(8, irqs(flags, index, start, count), events);
  }

  /// The payload of a DEVICE_SET_IRQS.
  public static byte[] irqs(int flags, int index, int start, int count) {
    return new Payload().u32(20).u32(flags).u32(index).u32(start).u32(count).toBytes();
  }

  /// Hangs up; a second call does nothing.
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      channel.close();
      arena.close();
    }
  }
}
