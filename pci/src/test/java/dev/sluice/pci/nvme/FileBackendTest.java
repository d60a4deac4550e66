package dev.sluice.pci.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The image file: whole transfers, growth, and the honesty of a flush.
class FileBackendTest {
  @TempDir Path folder;
  private Path image;

  @BeforeEach
  void create() throws IOException {
    image = folder.resolve("disk");
    Files.write(image, new byte[] {1, 2, 3, 4, 5, 6, 7, 8});
  }

  @Test
  void readsAndWritesWhereItIsTold() throws IOException {
    try (FileBackend backend = FileBackend.open(image, true)) {
      backend.write(2, ByteBuffer.wrap(new byte[] {9, 9}));
      ByteBuffer read = ByteBuffer.allocate(4);
      backend.read(1, read);
      backend.flush();

      assertThat(read.array()).containsExactly(2, 9, 9, 5);
      assertThat(backend.writable()).isTrue();
    }
  }

  @Test
  void aReadPastTheEndFails() throws IOException {
    try (FileBackend backend = FileBackend.open(image, true)) {
      assertThatThrownBy(() -> backend.read(6, ByteBuffer.allocate(4)))
          .isInstanceOf(EOFException.class)
          .hasMessageContaining("disk");
    }
  }

  @Test
  void seesTheFileGrow() throws IOException {
    try (FileBackend backend = FileBackend.open(image, true)) {
      assertThat(backend.size()).isEqualTo(8);
      Files.write(image, new byte[20]);
      assertThat(backend.size()).isEqualTo(20);
    }
  }

  @Test
  void aReadOnlyBackendCannotWrite() throws IOException {
    try (FileBackend backend = FileBackend.open(image, false)) {
      assertThat(backend.writable()).isFalse();
      assertThatThrownBy(() -> backend.write(0, ByteBuffer.allocate(1)))
          .isInstanceOf(RuntimeException.class);
    }
  }

  @Test
  void aMissingFileIsNamed() {
    assertThatThrownBy(() -> FileBackend.open(folder.resolve("none"), true))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining("none");
  }

  @Test
  void anImageThatAGuestMayWriteToIsItsAlone() throws IOException {
    try (FileBackend first = FileBackend.open(image, true)) {
      assertThat(first.writable()).isTrue();
      assertThatThrownBy(() -> FileBackend.open(image, true))
          .isInstanceOf(IOException.class)
          .hasMessage(image + " is in use by another machine");
    }
    FileBackend.open(image, true).close();
  }

  @Test
  void anImageThatAnotherProcessReadsMayBeReadAndNotWritten() throws IOException {
    try (OtherProcess reader = new OtherProcess(image, true)) {
      assertThat(reader.isHolding()).isTrue();
      FileBackend.open(image, false).close();
      assertThatThrownBy(() -> FileBackend.open(image, true))
          .hasMessage(image + " is in use by another machine");
    }
    FileBackend.open(image, true).close();
  }

  @Test
  void anImageThatAnotherProcessWritesToMayNotBeRead() throws IOException {
    try (OtherProcess writer = new OtherProcess(image, false)) {
      assertThat(writer.isHolding()).isTrue();
      assertThatThrownBy(() -> FileBackend.open(image, false))
          .hasMessage(image + " is in use by another machine, which writes to it");
    }
  }

  /// Holds a lock of an image until it is closed.
  private static final class OtherProcess implements AutoCloseable {
    private static final String SOURCE =
        """
        import static java.nio.file.StandardOpenOption.*;

        class Holder {
          public static void main(String[] arguments) throws Exception {
            var path = java.nio.file.Path.of(arguments[0]);
            boolean shared = Boolean.parseBoolean(arguments[1]);
            var channel = java.nio.channels.FileChannel.open(path, READ, WRITE);
            System.out.println(channel.tryLock(0, Long.MAX_VALUE, shared) != null);
            System.in.read();
          }
        }
        """;

    private final Process process;

    OtherProcess(Path image, boolean shared) throws IOException {
      Path source = image.resolveSibling("Holder.java");
      Files.writeString(source, SOURCE);
      process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  source.toString(),
                  image.toString(),
                  Boolean.toString(shared))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
    }

    boolean isHolding() throws IOException {
      return "true".equals(process.inputReader().readLine());
    }

    @Override
    public void close() throws IOException {
      process.outputWriter().close();
      process.onExit().join();
    }
  }

  @Test
  void aClosedBackendSaysSo() throws IOException {
    FileBackend backend = FileBackend.open(image, true);
    backend.close();

    assertThatThrownBy(backend::size).isInstanceOf(UncheckedIOException.class);
  }

  @Test
  void afterAFlushThatFailedNoLaterOneSucceeds() throws IOException {
    try (FileBackend backend = new FileBackend(image, new ForceFailsOnce(), true)) {
      assertThatThrownBy(backend::flush).hasMessage("lost");
      assertThatThrownBy(backend::flush).hasMessageContaining("disk").hasRootCauseMessage("lost");
      assertThatThrownBy(backend::flush).isInstanceOf(IOException.class);
    }
  }

  /// A channel as the kernel makes it: the error of lost pages is reported once, and then
  /// forgotten.
  private static final class ForceFailsOnce extends FileChannel {
    private boolean failed;

    @Override
    public void force(boolean metaData) throws IOException {
      if (!failed) {
        failed = true;
        throw new IOException("lost");
      }
    }

    @Override
    public int read(ByteBuffer into) {
      throw unused();
    }

    @Override
    public long read(ByteBuffer[] into, int offset, int length) {
      throw unused();
    }

    @Override
    public int write(ByteBuffer from) {
      throw unused();
    }

    @Override
    public long write(ByteBuffer[] from, int offset, int length) {
      throw unused();
    }

    @Override
    public long position() {
      throw unused();
    }

    @Override
    public FileChannel position(long newPosition) {
      throw unused();
    }

    @Override
    public long size() {
      throw unused();
    }

    @Override
    public FileChannel truncate(long size) {
      throw unused();
    }

    @Override
    public long transferTo(long position, long count, WritableByteChannel target) {
      throw unused();
    }

    @Override
    public long transferFrom(ReadableByteChannel source, long position, long count) {
      throw unused();
    }

    @Override
    public int read(ByteBuffer into, long position) {
      throw unused();
    }

    @Override
    public int write(ByteBuffer from, long position) {
      throw unused();
    }

    @Override
    public MappedByteBuffer map(MapMode mode, long position, long size) {
      throw unused();
    }

    @Override
    public FileLock lock(long position, long size, boolean shared) {
      throw unused();
    }

    @Override
    public FileLock tryLock(long position, long size, boolean shared) {
      throw unused();
    }

    @Override
    protected void implCloseChannel() {}

    private static AssertionError unused() {
      return new AssertionError("only flushes were expected");
    }
  }
}
