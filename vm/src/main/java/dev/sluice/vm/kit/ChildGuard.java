package dev.sluice.vm.kit;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Ends a child process when its owner is done with it, and at the latest when this JVM ends, so
/// that neither an exception nor Ctrl-C leaves one running.
public final class ChildGuard implements AutoCloseable {
  private static final Set<Process> LIVE = ConcurrentHashMap.newKeySet();

  /// Whether the JVM is ending: what is started from now on is ended at once.
  private static volatile boolean ending;

  static {
    try {
      Runtime.getRuntime().addShutdownHook(new Thread(ChildGuard::endAll, "sluice-child-guard"));
    } catch (IllegalStateException _) {
      // The first child of all is started while the JVM ends, and takes no hook any more.
      ending = true;
    }
  }

  private final Process process;

  private ChildGuard(Process process) {
    this.process = process;
  }

  private static void endAll() {
    // Before the look at them: one that is added too late for it finds this.
    ending = true;
    LIVE.forEach(Process::destroyForcibly);
  }

  /// Guards a process that was just started. Kills it when this JVM is ending.
  public static ChildGuard of(Process process) {
    LIVE.add(process);
    if (ending) {
      process.destroyForcibly();
    }
    return new ChildGuard(process);
  }

  /// Kills the process if it still runs.
  @Override
  public void close() {
    process.destroyForcibly();
    LIVE.remove(process);
  }
}
