package dev.sluice.host;

/// Something whose readiness a [PollSet] can wait for.
public abstract sealed class Pollable permits EventFd, UnixServerSocket, UnixSocket {
  Pollable() {}

  abstract Fd fd();
}
