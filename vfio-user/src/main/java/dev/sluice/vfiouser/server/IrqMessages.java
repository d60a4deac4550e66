package dev.sluice.vfiouser.server;

import dev.sluice.host.Errno;
import dev.sluice.host.SystemCallException;
import dev.sluice.vfiouser.transport.Attachment;
import dev.sluice.vfiouser.transport.Channel;
import dev.sluice.vfiouser.transport.Event;
import dev.sluice.vfiouser.wire.IrqInfo;
import dev.sluice.vfiouser.wire.IrqSet;
import dev.sluice.vfiouser.wire.MalformedMessageException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// DEVICE_GET_IRQ_INFO and DEVICE_SET_IRQS.
final class IrqMessages {
  private final IrqTable irqs;
  private final Channel channel;

  /// @param channel watches the event by which the client unmasks the pin
  IrqMessages(IrqTable irqs, Channel channel) {
    this.irqs = irqs;
    this.channel = channel;
  }

  /// Serves DEVICE_GET_IRQ_INFO.
  void info(MemorySegment request, Reply reply) throws MalformedMessageException {
    IrqInfo.check(request);
    int index = known(IrqInfo.index(request));
    int flags = IrqInfo.EVENTFD;
    if (index == IrqIndex.INTX) {
      flags |= IrqInfo.MASKABLE | IrqInfo.AUTOMASKED;
    }
    reply.succeed(IrqInfo.putReply(reply.message(), index, flags, irqs.count(index)));
  }

  /// Serves DEVICE_SET_IRQS. Nothing changes when it is refused.
  void set(MemorySegment request, List<Attachment> attachments, Reply reply)
      throws MalformedMessageException {
    IrqSet.check(request);
    int index = known(IrqSet.index(request));
    int action = IrqSet.action(request);
    int data = IrqSet.data(request);
    long start = IrqSet.start(request);
    long count = IrqSet.count(request);
    if (start + count > irqs.count(index)) {
      throw new MalformedMessageException(
          "interrupts "
              + start
              + " to "
              + (start + count - 1)
              + " of kind "
              + index
              + ", which has "
              + irqs.count(index));
    }
    if (count == 0) {
      if (data != IrqSet.NONE || action != IrqSet.TRIGGER || start != 0) {
        throw new MalformedMessageException("DEVICE_SET_IRQS of no interrupt, which only disables");
      }
      disable(index);
      return;
    }
    if (action != IrqSet.TRIGGER && index != IrqIndex.INTX) {
      throw new MalformedMessageException("interrupts of kind " + index + " have no mask here");
    }
    if (data == IrqSet.EVENTFD) {
      setEvents(index, action, (int) start, (int) count, attachments, reply);
    } else {
      act(index, action, (int) start, (int) count, request);
    }
  }

  /// Masks, unmasks or fires each interrupt of the range that the data names.
  private void act(int index, int action, int start, int count, MemorySegment request) {
    for (int i = 0; i < count; i++) {
      if (IrqSet.data(request) == IrqSet.BOOL && !IrqSet.bool(request, i)) {
        continue;
      }
      switch (action) {
        case IrqSet.MASK -> irqs.intx().mask();
        case IrqSet.UNMASK -> irqs.intx().unmask();
        default -> {
          if (index == IrqIndex.INTX) {
            irqs.intx().fire();
          } else {
            irqs.fire(index, start + i);
          }
        }
      }
    }
  }

  private void setEvents(
      int index, int action, int start, int count, List<Attachment> attachments, Reply reply)
      throws MalformedMessageException {
    if (action == IrqSet.MASK) {
      throw new MalformedMessageException("the pin is masked by message only");
    }
    if (!attachments.isEmpty() && attachments.size() != count) {
      throw new MalformedMessageException(
          attachments.size() + " descriptors for " + count + " interrupts");
    }
    List<Event> events = new ArrayList<>();
    try {
      for (Attachment attachment : attachments) {
        events.add(attachment.takeEvent());
      }
    } catch (IOException e) {
      events.forEach(Event::close);
      Errno errno = e instanceof SystemCallException call ? call.errno() : Errno.EIO;
      reply.refuse(errno, "DEVICE_SET_IRQS: " + e.getMessage());
      return;
    }
    for (int i = 0; i < count; i++) {
      setEvent(index, action, start + i, events.isEmpty() ? null : events.get(i));
    }
  }

  private void setEvent(int index, int action, int vector, @Nullable Event event) {
    if (index != IrqIndex.INTX) {
      irqs.set(index, vector, event);
    } else if (action == IrqSet.TRIGGER) {
      irqs.intx().setTrigger(event);
    } else {
      // Not watched while it is closed and replaced.
      channel.watch(null);
      irqs.intx().setResample(event);
      channel.watch(event);
    }
  }

  private void disable(int index) {
    if (index == IrqIndex.INTX) {
      channel.watch(null);
    }
    irqs.disable(index);
  }

  /// Takes all events away: the client has gone.
  void disableAll() {
    channel.watch(null);
    irqs.disableAll();
  }

  /// Whether the channel watches an event of the client.
  boolean isWatching() {
    return irqs.intx().resample() != null;
  }

  /// The watched event was signalled.
  void signalled() {
    irqs.intx().checkResample();
  }

  private static int known(int index) throws MalformedMessageException {
    if (index < 0 || index >= IrqIndex.COUNT) {
      throw new MalformedMessageException(
          "there is no kind " + Integer.toUnsignedString(index) + " of interrupts");
    }
    return index;
  }
}
