package dev.sluice.vm.kit.qemu;

import dev.sluice.vm.kit.ChildGuard;
import dev.sluice.vm.kit.KitException;
import dev.sluice.vm.kit.linux.LineSplitter;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.BindException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A running QEMU.
///
/// It has a session of its own, so Ctrl-C in a terminal reaches this JVM alone, which then ends it.
/// It is also killed when this JVM dies without a word: the kernel signals it when the thread that
/// started it ends (`PR_SET_PDEATHSIG`, prctl(2)), which is why that thread lives exactly as long
/// as QEMU.
public final class QemuProcess implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(QemuProcess.class.getName());

  /// Lines kept for a message when something goes wrong: a panic with its stack has about 40.
  private static final int CONSOLE_LINES = 60;

  /// Lines of QEMU's own kept; its dump of a processor that KVM gave up on has about 40.
  private static final int ERROR_LINES = 60;

  private static final int BUFFER = 8192;

  /// What a shell and the JDK add to a signal's number to make an exit status of it.
  private static final int SIGNAL_STATUS = 128;

  /// What QEMU says when the machine's KVM cannot execute the guest; it then stands still for ever.
  private static final String KVM_FAILURE = "KVM internal error";

  /// What QEMU says when it is asked to end by a signal; its exit status is 0 then.
  private static final Pattern SIGNALLED =
      Pattern.compile(".*terminating on signal ([0-9]{1,2}) .*");

  private static final String PANIC = "Kernel panic - not syncing";

  private final QemuListener listener;
  private final @Nullable ServerSocketChannel reportServer;
  private final LastLines console = new LastLines(CONSOLE_LINES);
  private final LastLines errors = new LastLines(ERROR_LINES);
  private final CompletableFuture<Process> started = new CompletableFuture<>();
  private final CompletableFuture<QemuOutcome> outcome = new CompletableFuture<>();
  private final AtomicReference<QemuOutcome.@Nullable Kind> killedFor = new AtomicReference<>();
  private volatile QemuLimits limits;
  private volatile long lastWord = System.nanoTime();
  private volatile boolean panicked;
  private volatile int signal;

  private QemuProcess(
      QemuLimits limits, QemuListener listener, @Nullable ServerSocketChannel reportServer) {
    this.limits = limits;
    this.listener = listener;
    this.reportServer = reportServer;
  }

  /// Starts QEMU. Every vfio-user server that the command names must be listening.
  ///
  /// @param listener hears the guest until [#await] returns
  /// @throws KitException if the report's socket is taken, or QEMU cannot be started
  public static QemuProcess start(QemuCommand command, QemuLimits limits, QemuListener listener)
      throws IOException, InterruptedException {
    ServerSocketChannel server =
        command.reportSocket().isPresent() ? listen(command.reportSocket().get()) : null;
    QemuProcess qemu = new QemuProcess(limits, listener, server);
    List<String> words = new ArrayList<>(isolation());
    words.addAll(command.words());
    LOG.log(System.Logger.Level.DEBUG, "starting {0}", command.shellLine());
    Thread.ofPlatform().daemon().name("sluice-qemu").start(() -> qemu.run(words));
    try {
      var _ = qemu.started.get();
      return qemu;
    } catch (ExecutionException e) {
      qemu.closeReportServer();
      throw new KitException(
          "cannot start " + words.getFirst() + ": " + e.getCause(),
          "Check that the file is there and executable.",
          e);
    } catch (InterruptedException e) {
      // It may have started by now, and nobody else knows of it.
      qemu.close();
      throw e;
    }
  }

  /// Waits for QEMU's end; everything that it said has been heard then.
  public QemuOutcome await() throws InterruptedException {
    try {
      return outcome.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("the thread that watches QEMU failed", e.getCause());
    }
  }

  /// Whether QEMU still runs.
  public boolean isRunning() {
    return !outcome.isDone();
  }

  /// QEMU's process id.
  public long pid() {
    return started.join().pid();
  }

  /// Where a user's keys go: the input of the guest's console.
  public OutputStream consoleInput() {
    return started.join().getOutputStream();
  }

  /// Replaces the limits, for instance when the checks are over and a user takes the console.
  public void limits(QemuLimits limits) {
    this.limits = limits;
    lastWord = System.nanoTime();
  }

  /// Ends QEMU now. [#await] tells [QemuOutcome.Kind#STOPPED] unless it had ended before.
  public void stop() {
    kill(QemuOutcome.Kind.STOPPED);
  }

  /// Ends QEMU if it still runs, and waits until it is gone.
  @Override
  public void close() {
    stop();
    var _ = outcome.handle((_, _) -> null).join();
  }

  /// Programs that put what follows into a session of its own and have it killed with the thread
  /// that starts it; a machine without them goes without.
  private static List<String> isolation() {
    List<String> words = new ArrayList<>();
    for (String directory : List.of("/usr/bin", "/bin")) {
      Path setsid = Path.of(directory, "setsid");
      Path setpriv = Path.of(directory, "setpriv");
      if (Files.isExecutable(setsid) && Files.isExecutable(setpriv)) {
        words.add(setsid.toString());
        words.addAll(List.of(setpriv.toString(), "--pdeathsig", "KILL"));
        break;
      }
    }
    return words;
  }

  private static ServerSocketChannel listen(Path socket) throws IOException {
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      server.bind(UnixDomainSocketAddress.of(socket), 1);
      return server;
    } catch (BindException e) {
      server.close();
      throw new KitException(
          "cannot listen on " + socket + ": " + e.getMessage(),
          "Remove that file if no other process uses it.",
          e);
    }
  }

  /// The life of the process, in its own thread.
  private void run(List<String> words) {
    long start = System.nanoTime();
    Process process;
    try {
      process = new ProcessBuilder(words).start();
    } catch (IOException e) {
      started.completeExceptionally(e);
      outcome.completeExceptionally(e);
      return;
    }
    try (ChildGuard _ = ChildGuard.of(process)) {
      List<Thread> readers = new ArrayList<>();
      readers.add(Thread.ofVirtual().start(() -> readConsole(process.getInputStream())));
      readers.add(Thread.ofVirtual().start(() -> readErrors(process.getErrorStream())));
      if (reportServer != null) {
        ServerSocketChannel server = reportServer;
        readers.add(Thread.ofVirtual().start(() -> readReport(server)));
      }
      started.complete(process);
      watch(process, start);
      int status = process.waitFor();
      Duration runTime = Duration.ofNanos(System.nanoTime() - start);
      // Ends an accept that waits for a QEMU that is gone. A connection that was made is read to
      // its end.
      closeReportServer();
      for (Thread reader : readers) {
        reader.join();
      }
      if (signal != 0) {
        status = SIGNAL_STATUS + signal;
      }
      outcome.complete(
          new QemuOutcome(kind(status), status, runTime, console.toList(), errors.toList()));
    } catch (InterruptedException | RuntimeException e) {
      outcome.completeExceptionally(e);
    } finally {
      closeReportServer();
    }
  }

  /// Returns when the process has ended, and kills it when a limit has passed.
  private void watch(Process process, long start) throws InterruptedException {
    boolean ended = false;
    while (!ended) {
      long now = System.nanoTime();
      long untilDeadline = limits.deadline().toNanos() - (now - start);
      long untilSilence = limits.silence().toNanos() - (now - lastWord);
      if (untilDeadline <= 0) {
        kill(QemuOutcome.Kind.DEADLINE);
      } else if (untilSilence <= 0) {
        kill(QemuOutcome.Kind.SILENT);
      }
      // Limits may be replaced meanwhile: look again every second.
      long wait = Math.clamp(Math.min(untilDeadline, untilSilence), 1, 1_000_000_000L);
      ended = process.waitFor(wait, TimeUnit.NANOSECONDS);
    }
  }

  private void kill(QemuOutcome.Kind why) {
    killedFor.compareAndSet(null, why);
    // Once it has started; if it cannot, there is nothing to end.
    var _ = started.thenAccept(Process::destroyForcibly);
  }

  private QemuOutcome.Kind kind(int status) {
    QemuOutcome.Kind ours = killedFor.get();
    if (status == 0) {
      return panicked ? QemuOutcome.Kind.PANICKED : QemuOutcome.Kind.POWERED_OFF;
    }
    if (ours != null) {
      return ours;
    }
    return status > SIGNAL_STATUS ? QemuOutcome.Kind.KILLED : QemuOutcome.Kind.FAILED;
  }

  private void readConsole(InputStream in) {
    LineSplitter splitter = new LineSplitter(this::consoleLine);
    byte[] buffer = new byte[BUFFER];
    try (in) {
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        lastWord = System.nanoTime();
        listener.console(buffer, count);
        splitter.accept(buffer, count);
      }
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "the console's pipe closed", e);
    }
    splitter.end();
  }

  private void consoleLine(String line) {
    if (line.contains(PANIC)) {
      panicked = true;
    }
    console.add(line);
    listener.consoleLine(line);
  }

  private void readErrors(InputStream in) {
    LineSplitter splitter = new LineSplitter(this::errorLine);
    byte[] buffer = new byte[BUFFER];
    try (in) {
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        splitter.accept(buffer, count);
      }
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "the error pipe closed", e);
    }
    splitter.end();
  }

  private void errorLine(String line) {
    LOG.log(System.Logger.Level.DEBUG, "QEMU: {0}", line);
    errors.add(line);
    Matcher signalled = SIGNALLED.matcher(line);
    if (signalled.matches()) {
      signal = Integer.parseInt(signalled.group(1));
    }
    if (line.contains(KVM_FAILURE)) {
      kill(QemuOutcome.Kind.KVM_FAILED);
    }
  }

  private void readReport(ServerSocketChannel server) {
    byte[] bytes = new byte[BUFFER];
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    try (SocketChannel channel = server.accept()) {
      while (channel.read(buffer.clear()) >= 0) {
        lastWord = System.nanoTime();
        listener.report(bytes, buffer.position());
      }
    } catch (ClosedChannelException _) {
      // QEMU ended before it opened its second serial port.
      LOG.log(System.Logger.Level.DEBUG, "no report");
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "the report's socket closed", e);
    }
  }

  /// Ends the report's socket and removes its file, so that another QEMU can have it. Not twice: by
  /// then it may have it.
  private void closeReportServer() {
    if (reportServer != null && reportServer.isOpen()) {
      try (ServerSocketChannel server = reportServer) {
        if (server.getLocalAddress() instanceof UnixDomainSocketAddress address) {
          Files.deleteIfExists(address.getPath());
        }
      } catch (IOException e) {
        LOG.log(System.Logger.Level.DEBUG, "closing the report's socket", e);
      }
    }
  }
}
