package dev.sluice.vm.kit;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Ends a child process when its owner is done with it, and at the latest when this JVM ends, so
/// that neither an exception nor Ctrl-C leaves one running.
public final class ChildGuard implements AutoCloseable {
  private static final Set<Process> LIVE = ConcurrentHashMap.newKeySet();

  static {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(() -> LIVE.forEach(Process::destroyForcibly), "sluice-child-guard"));
  }

  private final Process process;

  private ChildGuard(Process process) {
    this.process = process;
  }

  /// Guards a process that was just started.
  public static ChildGuard of(Process process) {
    LIVE.add(process);
    return new ChildGuard(process);
  }

  /// Kills the process if it still runs.
  @Override
  public void close() {
    process.destroyForcibly();
    LIVE.remove(process);
  }
}
