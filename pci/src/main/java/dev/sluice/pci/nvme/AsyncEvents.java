package dev.sluice.pci.nvme;

import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Asynchronous Event Request commands that the controller holds, and the events that wait for one
/// (NVMe 1.4, 5.2).
///
/// An event that was reported masks its type until the guest reads the log page that belongs to it;
/// one more event of a type that already waits, or is masked, is remembered once.
final class AsyncEvents {
  /// How many requests are held at a time, AERL + 1: as many as the specification recommends.
  static final int LIMIT = 4;

  /// The type of an event, and the log page that tells more.
  enum Type {
    ERROR(0, LogPages.ERROR),
    HEALTH(1, LogPages.HEALTH),
    NOTICE(2, LogPages.CHANGED_NAMESPACES);

    private final int code;
    private final int logPage;

    Type(int code, int logPage) {
      this.code = code;
      this.logPage = logPage;
    }

    /// The type whose log page is `logPage`, if there is one.
    static @Nullable Type ofLogPage(int logPage) {
      for (Type type : values()) {
        if (type.logPage == logPage) {
          return type;
        }
      }
      return null;
    }
  }

  /// Error: a doorbell of a queue that does not exist was written.
  static final int INVALID_DOORBELL_REGISTER = 0x00;

  /// Error: a value was written to a doorbell that it cannot have.
  static final int INVALID_DOORBELL_VALUE = 0x01;

  /// Health: the temperature is beyond a threshold.
  static final int TEMPERATURE_THRESHOLD = 0x01;

  /// Notice: a namespace's attributes changed.
  static final int NAMESPACE_ATTRIBUTE_CHANGED = 0x00;

  private final ArrayDeque<Integer> held = new ArrayDeque<>();
  private final ArrayDeque<Integer> aborted = new ArrayDeque<>();
  private final Map<Type, Integer> waiting = new EnumMap<>(Type.class);
  private final Set<Type> masked = EnumSet.noneOf(Type.class);

  /// A request that can be completed now.
  ///
  /// @param commandId of the request
  /// @param status success, or that the guest aborted the request
  /// @param result dword 0 of its completion: 23:16 log page, 15:8 information, 2:0 type
  record Report(int commandId, Status status, int result) {}

  /// Keeps a request until there is an event.
  ///
  /// @return false if too many are held
  synchronized boolean hold(int commandId) {
    if (held.size() == LIMIT) {
      return false;
    }
    held.add(commandId);
    return true;
  }

  /// Gives a held request up; it is completed as aborted.
  ///
  /// @return false if none has this identifier
  synchronized boolean abort(int commandId) {
    boolean found = held.remove((Integer) commandId);
    if (found) {
      aborted.add(commandId);
    }
    return found;
  }

  /// Remembers an event.
  synchronized void raise(Type type, int information) {
    waiting.putIfAbsent(type, information);
  }

  /// The guest has read a log page, and wants to hear of further events of its type.
  synchronized void unmask(Type type) {
    masked.remove(type);
  }

  /// Whether [#next()] has something.
  synchronized boolean reportable() {
    return !aborted.isEmpty() || (!held.isEmpty() && nextType() != null);
  }

  private @Nullable Type nextType() {
    for (Type type : waiting.keySet()) {
      if (!masked.contains(type)) {
        return type;
      }
    }
    return null;
  }

  /// A request to complete, no longer held: an aborted one, or the oldest with an event for it,
  /// whose type is now masked; null if there is none.
  synchronized @Nullable Report next() {
    Integer given = aborted.poll();
    if (given != null) {
      return new Report(given, Status.ABORT_REQUESTED, 0);
    }
    Type type = nextType();
    Integer request = type == null ? null : held.poll();
    if (type == null || request == null) {
      return null;
    }
    masked.add(type);
    Integer information = waiting.remove(type);
    int detail = information == null ? 0 : information;
    return new Report(request, Status.SUCCESS, type.logPage << 16 | detail << 8 | type.code);
  }
}
