package dev.sluice.vm.replay;

/// A recording that cannot be replayed: unreadable, or not one. The message says where and why.
public final class ReplayException extends Exception {
  private static final long serialVersionUID = 1L;

  ReplayException(String message) {
    super(message);
  }

  ReplayException(String message, Throwable cause) {
    super(message, cause);
  }
}
