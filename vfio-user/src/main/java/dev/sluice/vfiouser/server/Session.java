package dev.sluice.vfiouser.server;

import dev.sluice.host.Errno;
import dev.sluice.memory.GuestMemory;
import dev.sluice.pci.Linger;
import dev.sluice.pci.PciFunction;
import dev.sluice.vfiouser.transport.Attachment;
import dev.sluice.vfiouser.transport.Channel;
import dev.sluice.vfiouser.wire.Command;
import dev.sluice.vfiouser.wire.Header;
import dev.sluice.vfiouser.wire.MalformedMessageException;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One client, from its connection to its end: receives messages, serves commands one after another
/// in the order of their arrival, and hands replies to those who wait for them.
///
/// The thread that runs it never waits for a device. A command whose reply needs the device to
/// finish something leaves a [Completion]; until it is done, or its time is over, replies are still
/// taken and commands are kept for later.
final class Session {
  private static final Logger LOG = System.getLogger(Session.class.getName());

  /// Refusals that are logged as warnings; a client that goes on is heard at debug level only.
  private static final int LOUD_REFUSALS = 8;

  private final Channel channel;
  private final ServerOptions options;
  private final Inbox inbox;
  private final Backlog backlog = new Backlog();
  private final Reply reply;
  private final VersionMessages version;
  private final DeviceMessages device;
  private final Regions regions;
  private final MemoryMessages memoryMessages;
  private final IrqMessages irqMessages;
  private final PeerMemory peer;
  private final Linger linger = new Linger();
  private long replyDeadline;
  private int refusals;

  /// @param arena where the session's buffers come from; closed after [#run()]
  Session(
      Channel channel,
      Arena arena,
      PciFunction function,
      GuestMemory memory,
      IrqTable irqs,
      Traffic traffic,
      ServerOptions options) {
    this.channel = channel;
    this.options = options;
    inbox = new Inbox(arena.allocate(Inbox.bufferBytes()));
    reply = new Reply(arena.allocate(Limits.MESSAGE));
    PeerSender sender = new PeerSender(channel, arena.allocate(PeerSender.bufferBytes()));
    peer = new PeerMemory(memory, sender, options.messageLimit());
    version = new VersionMessages(peer);
    regions = new Regions(function, irqs.intx()::deliver, this::deviceFailed, traffic);
    device = new DeviceMessages(function, regions, this::completion);
    memoryMessages = new MemoryMessages(memory, peer, this::completion);
    irqMessages = new IrqMessages(irqs, channel);
  }

  /// The way to the client's memory by message.
  PeerMemory peer() {
    return peer;
  }

  private Completion completion() {
    return new Completion(channel, Thread.currentThread());
  }

  /// Serves the client until it has gone, and gives back everything that was its.
  ///
  /// @return why it ended, as a sentence
  String run() {
    try {
      return serve();
    } catch (ProtocolViolationException e) {
      tellViolation(e.reason());
      return e.reason();
    } catch (IOException e) {
      return "the connection failed: " + e.getMessage();
    } finally {
      channel.shutdown();
      peer.close();
      backlog.clear();
      inbox.close();
      irqMessages.disableAll();
      memoryMessages.unmapAll();
    }
  }

  private String serve() throws IOException, ProtocolViolationException {
    long versionDeadline = System.nanoTime() + options.replyLimit().toNanos();
    while (true) {
      if (!version.agreed() && !awaitReadable(versionDeadline)) {
        return "it did not propose a version within " + options.replyLimit();
      }
      if (!finishPending()) {
        continue;
      }
      switch (receive()) {
        case NOTHING, PARTIAL -> {}
        case WHOLE -> {
          receive(inbox.message(), inbox.attachments());
          inbox.clear();
          peer.goOn();
        }
        case END -> {
          return "it closed the connection";
        }
        case CUT -> {
          return "it closed the connection in the middle of a message";
        }
      }
    }
  }

  /// Waits for the next bytes of the greeting, for nobody else is served before this client has
  /// gone.
  ///
  /// @return whether something has arrived before the deadline
  private boolean awaitReadable(long deadline) throws IOException, ProtocolViolationException {
    while (!inbox.hasWhole()) {
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        return false;
      }
      if ((channel.await(true, left) & Channel.READABLE) != 0) {
        return true;
      }
    }
    return true;
  }

  /// Receives, and looks on for a while before it sleeps, if the client has lately come back
  /// quickly: a guest's processor that waits for an answer waits for this thread to wake up.
  private Inbox.Progress receive() throws IOException, ProtocolViolationException {
    Inbox.Progress progress = inbox.receive(channel, false);
    while (progress == Inbox.Progress.NOTHING) {
      boolean wait = !linger.isWorthwhile(System.nanoTime());
      if (!wait) {
        linger.pause();
      }
      progress = inbox.receive(channel, wait);
    }
    linger.found(System.nanoTime());
    return progress;
  }

  /// Sends the reply that waits for the device, when it need not wait any more, and then serves
  /// what has come since. Sleeps while nothing can be done.
  ///
  /// @return whether something may be received now
  private boolean finishPending() throws IOException, ProtocolViolationException {
    Completion pending = reply.pending();
    if (pending == null && !irqMessages.isWatching()) {
      return true;
    }
    if (pending != null) {
      boolean late = System.nanoTime() - replyDeadline >= 0;
      if (pending.isDone() || late) {
        if (!pending.isDone()) {
          reply.refuse(Errno.EBUSY, "the device did not finish within " + options.replyLimit());
        }
        answer();
        serveBacklog();
        peer.goOn();
        return false;
      }
    }
    boolean arrived = !backlog.isFull() && inbox.hasWhole();
    long wait = pending == null ? -1 : Math.max(0, replyDeadline - System.nanoTime());
    int happened = channel.await(!backlog.isFull(), arrived ? 0 : wait);
    if ((happened & Channel.SIGNALLED) != 0) {
      irqMessages.signalled();
    }
    return arrived || (happened & Channel.READABLE) != 0;
  }

  private void serveBacklog() throws IOException, ProtocolViolationException {
    while (reply.pending() == null) {
      Backlog.Entry entry = backlog.poll();
      if (entry == null) {
        return;
      }
      try {
        serve(entry.message(), entry.attachments());
      } finally {
        entry.attachments().forEach(Attachment::close);
      }
    }
  }

  /// Takes a whole message.
  private void receive(MemorySegment message, List<Attachment> attachments)
      throws IOException, ProtocolViolationException {
    if (Header.isReply(message)) {
      peer.reply(message);
    } else if (reply.pending() != null || !backlog.isEmpty()) {
      backlog.add(message, attachments);
    } else {
      serve(message, attachments);
    }
  }

  private void serve(MemorySegment request, List<Attachment> attachments)
      throws IOException, ProtocolViolationException {
    reply.begin(request);
    try {
      handle(request, attachments);
    } catch (MalformedMessageException e) {
      reply.refuse(Errno.EINVAL, e.reason());
    } catch (RuntimeException | InternalError e) {
      // InternalError: the client cut a file short behind memory that was touched.
      deviceFailed(e);
      reply.refuse(Errno.EIO, "serving it failed: " + e);
    }
    if (reply.pending() == null) {
      answer();
    } else {
      replyDeadline = System.nanoTime() + options.replyLimit().toNanos();
    }
    if (!version.agreed()) {
      throw new ProtocolViolationException("no version was agreed on: " + reply.reason());
    }
  }

  private void handle(MemorySegment request, List<Attachment> attachments)
      throws MalformedMessageException {
    Command command = Command.of(Header.command(request));
    if (command == null) {
      throw new MalformedMessageException("there is no command " + Header.command(request));
    }
    if (command != Command.VERSION && !version.agreed()) {
      throw new MalformedMessageException(command + " before VERSION");
    }
    switch (command) {
      case VERSION -> version.negotiate(request, reply);
      case DMA_MAP -> memoryMessages.map(request, attachments, reply);
      case DMA_UNMAP -> memoryMessages.unmap(request, reply);
      case DEVICE_GET_INFO -> device.info(request, reply);
      case DEVICE_GET_REGION_INFO -> device.regionInfo(request, reply);
      case DEVICE_GET_REGION_IO_FDS -> device.regionIoFds(request, reply);
      case DEVICE_GET_IRQ_INFO -> irqMessages.info(request, reply);
      case DEVICE_SET_IRQS -> irqMessages.set(request, attachments, reply);
      case REGION_READ -> regions.read(request, reply);
      case REGION_WRITE -> regions.write(request, reply);
      case DEVICE_RESET -> device.reset(reply);
      case DMA_READ, DMA_WRITE, REGION_WRITE_MULTI, DEVICE_FEATURE, MIG_DATA_READ, MIG_DATA_WRITE ->
          throw new MalformedMessageException(command + " is not offered");
    }
  }

  private void answer() throws IOException {
    if (reply.isRefused()) {
      refused(Command.of(reply.command()), reply.reason());
    }
    reply.send(channel);
  }

  private void refused(@Nullable Command command, String reason) {
    refusals++;
    LOG.log(
        refusals <= LOUD_REFUSALS ? Level.WARNING : Level.DEBUG,
        () ->
            channel.peer()
                + ": refused "
                + (command == null ? "a message" : command)
                + ": "
                + reason);
    options.listener().refused(channel.peer(), reason);
  }

  /// Tells the client, as far as that is possible, that its last message was its last.
  private void tellViolation(String reason) {
    LOG.log(Level.WARNING, () -> channel.peer() + ": connection ended: " + reason);
    if (!inbox.hasHeader()) {
      return;
    }
    try {
      MemorySegment header = inbox.header();
      if (Header.isCommand(header) && version.agreed()) {
        reply.begin(header);
        reply.refuse(Errno.EINVAL, reason);
        reply.send(channel);
      }
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "the client is not there to be told", e);
    }
  }

  private void deviceFailed(Throwable failure) {
    LOG.log(Level.ERROR, "a message could not be served", failure);
    options.listener().failed(failure);
  }
}
