package dev.sluice.vm.replay;

import dev.sluice.vm.replay.ReplayReport.Mismatch;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/// Replays a recording through a model and compares every answer.
public final class Replay {
  private static final int BUFFER = 1 << 16;
  private static final int GZIP_FIRST = 0x1F;
  private static final int GZIP_SECOND = 0x8B;

  private Replay() {}

  /// Replays what QEMU traced of a pseries guest (`-trace 'spapr_iommu*'`) through
  /// [dev.sluice.models.spapr.SpaprIommu]. Reads line by line: memory does not grow with the file.
  /// A file is read twice, first for what it tells of the machine ([RecordedMachine]).
  ///
  /// @param file plain or compressed by gzip
  /// @throws ReplayException when it cannot be read, or is no such recording
  public static ReplayReport spapr(Path file) throws ReplayException {
    if (Files.isDirectory(file)) {
      throw new ReplayException(file + " is a directory");
    }
    try {
      // What is read once only, such as a pipe, is that of a machine with QEMU's defaults.
      RecordedMachine machine = Files.isRegularFile(file) ? machine(file) : new RecordedMachine();
      try (InputStream in = open(file)) {
        return spapr(in, file.toString(), machine);
      }
    } catch (NoSuchFileException e) {
      throw new ReplayException("there is no file " + file, e);
    } catch (EOFException e) {
      throw new ReplayException(file + " is broken gzip data: it ends too early", e);
    } catch (ZipException e) {
      throw new ReplayException(file + " is broken gzip data: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new ReplayException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  private static InputStream open(Path file) throws IOException {
    InputStream in = new BufferedInputStream(Files.newInputStream(file), BUFFER);
    try {
      in.mark(2);
      boolean compressed = in.read() == GZIP_FIRST && in.read() == GZIP_SECOND;
      in.reset();
      return compressed ? new BufferedInputStream(new GZIPInputStream(in, BUFFER), BUFFER) : in;
    } catch (IOException e) {
      in.close();
      throw e;
    }
  }

  /// @param ended whether the line has an end. What is left of one that a QEMU was ended in the
  ///   midst of is none
  private static @Nullable SpaprEvent read(String line, boolean ended) {
    try {
      return SpaprTrace.read(line);
    } catch (IllegalArgumentException e) {
      if (ended) {
        throw e;
      }
      return null;
    }
  }

  private static RecordedMachine machine(Path file) throws IOException {
    RecordedMachine machine = new RecordedMachine();
    try (InputStream in = open(file)) {
      TraceLines lines = new TraceLines(in);
      for (String line = lines.next(); line != null; line = lines.next()) {
        SpaprEvent event = SpaprTrace.read(line);
        if (event != null) {
          machine.note(event);
        }
      }
    } catch (ReplayException | IllegalArgumentException e) {
      // The replay comes to that line, too, unless an answer differs before it, and says so.
      return machine;
    }
    return machine;
  }

  private static ReplayReport spapr(InputStream in, String name, RecordedMachine machine)
      throws IOException, ReplayException {
    TraceLines lines = new TraceLines(in);
    SpaprReplay replay = new SpaprReplay(machine.config());
    long ignored = 0;
    @Nullable Mismatch mismatch = null;
    for (String line = lines.next(); line != null && mismatch == null; ) {
      try {
        SpaprEvent event = read(line, lines.ended());
        if (event == null) {
          ignored++;
        } else {
          mismatch = replay.repeat(lines.number(), line, event);
        }
      } catch (IllegalArgumentException e) {
        throw new ReplayException("line %d: %s".formatted(lines.number(), e.getMessage()), e);
      }
      line = mismatch == null ? lines.next() : line;
    }
    if (ignored == lines.number()) {
      throw new ReplayException(
          name
              + " has no line of QEMU's spapr_iommu_* trace events: record one with"
              + " -trace 'spapr_iommu*'");
    }
    return new ReplayReport(
        lines.number(),
        ignored,
        replay.calls(),
        replay.translations(),
        replay.lists(),
        Optional.ofNullable(mismatch));
  }
}
