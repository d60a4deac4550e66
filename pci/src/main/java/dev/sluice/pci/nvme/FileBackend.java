package dev.sluice.pci.nvme;

import dev.sluice.dma.Mapping;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/// A raw image file.
///
/// A write has returned when its bytes are in the host's page cache; [#flush()] forces them to the
/// device. After a flush that failed, the kernel may have dropped the bytes and calls the next one
/// a success: so every later flush fails too.
public final class FileBackend implements BlockBackend {
  private final Path path;
  private final FileChannel channel;
  private final boolean writable;
  private volatile @Nullable IOException lostWrites;

  /// A backend on an open channel.
  ///
  /// @param path for messages
  FileBackend(Path path, FileChannel channel, boolean writable) {
    this.path = path;
    this.channel = channel;
    this.writable = writable;
  }

  /// Opens an existing file and locks it until [#close()]: against everybody if the guest may
  /// write, against writers otherwise. Two guests that write to one image destroy its file system,
  /// and each finds the other's blocks in what it has cached.
  ///
  /// The lock is the host's (`fcntl`), which QEMU and others respect, too. It belongs to the
  /// process: a backend that only reads is not kept apart from a writer of this one.
  ///
  /// @param writable whether the guest may write; then the file must be writable
  /// @throws IOException if it cannot be opened like this, or somebody else has it locked
  public static FileBackend open(Path path, boolean writable) throws IOException {
    FileChannel channel =
        writable
            ? FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)
            : FileChannel.open(path, StandardOpenOption.READ);
    try {
      if (!lock(channel, writable)) {
        throw new IOException(
            path + " is in use by another machine" + (writable ? "" : ", which writes to it"));
      }
      return new FileBackend(path, channel, writable);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private static boolean lock(FileChannel channel, boolean writable) throws IOException {
    try {
      return channel.tryLock(0, Long.MAX_VALUE, !writable) != null;
    } catch (OverlappingFileLockException e) {
      // Somebody in this process.
      return !writable;
    }
  }

  /// The file's size now: it may have grown since the last call.
  ///
  /// @throws UncheckedIOException if the host cannot tell, as after [#close()]
  @Override
  public long size() {
    try {
      return channel.size();
    } catch (IOException e) {
      throw new UncheckedIOException("size of " + path, e);
    }
  }

  @Override
  public boolean writable() {
    return writable;
  }

  @Override
  public void read(long position, ByteBuffer into) throws IOException {
    long at = position;
    while (into.hasRemaining()) {
      at += moved(channel.read(into, at), at);
    }
  }

  @Override
  public void write(long position, ByteBuffer from) throws IOException {
    long at = position;
    while (from.hasRemaining()) {
      at += channel.write(from, at);
    }
  }

  @Override
  public void read(long position, Mapping into, long offset, int length) throws IOException {
    int done = 0;
    while (done < length) {
      done +=
          moved(
              into.readFrom(channel, position + done, offset + done, length - done),
              position + done);
    }
  }

  @Override
  public void write(long position, Mapping from, long offset, int length) throws IOException {
    int done = 0;
    while (done < length) {
      done += from.writeTo(channel, position + done, offset + done, length - done);
    }
  }

  @Override
  public void flush() throws IOException {
    IOException earlier = lostWrites;
    if (earlier != null) {
      throw new IOException(
          "an earlier flush of " + path + " failed, so what it should have kept may be lost",
          earlier);
    }
    try {
      channel.force(true);
    } catch (IOException e) {
      lostWrites = e;
      throw e;
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private int moved(int count, long position) throws EOFException {
    if (count < 0) {
      throw new EOFException(path + " ends before byte " + position + ": it was cut while in use");
    }
    return count;
  }
}
