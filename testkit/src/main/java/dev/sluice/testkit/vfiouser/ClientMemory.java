package dev.sluice.testkit.vfiouser;

import dev.sluice.host.Fd;
import dev.sluice.host.MappedFile;
import dev.sluice.host.Memfd;
import dev.sluice.vfiouser.transport.Attachment;
import dev.sluice.vfiouser.transport.FdAttachment;
import dev.sluice.vfiouser.transport.LocalMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Memory that a client shares: a file in memory for a socket, or plain memory for a transport
/// within the process.
public abstract sealed class ClientMemory implements AutoCloseable {
  private ClientMemory() {}

  /// Zeros in a file, to be sent as a descriptor.
  public static ClientMemory file(long size) throws IOException {
    Fd fd = Memfd.create("client memory", size);
    return new File(fd, MappedFile.map(fd, 0, size, true));
  }

  /// As [#file], and nobody can cut it short: [#truncate] fails.
  public static ClientMemory sealedFile(long size) throws IOException {
    Fd fd = Memfd.create("sealed client memory", size);
    Memfd.sealSize(fd);
    return new File(fd, MappedFile.map(fd, 0, size, true));
  }

  /// Zeros in this process, to be sent as they are.
  public static ClientMemory local(long size) {
    return new Local(size);
  }

  /// The bytes, as the client sees them.
  public abstract MemorySegment bytes();

  /// What stands for the memory beside a message. Closed with this.
  public abstract Attachment attachment();

  /// Cuts the file short behind the server's back.
  public abstract void truncate(long size) throws IOException;

  @Override
  public abstract void close();

  private static final class File extends ClientMemory {
    private final Fd fd;
    private final MappedFile mapped;
    private final FdAttachment attachment;

    private File(Fd fd, MappedFile mapped) {
      this.fd = fd;
      this.mapped = mapped;
      this.attachment = new FdAttachment(fd);
    }

    @Override
    public MemorySegment bytes() {
      return mapped.segment();
    }

    @Override
    public Attachment attachment() {
      return attachment;
    }

    @Override
    public void truncate(long size) throws IOException {
      Memfd.resize(fd, size);
    }

    @Override
    public void close() {
      attachment.close();
      mapped.close();
    }
  }

  private static final class Local extends ClientMemory {
    private final Arena arena;
    private final MemorySegment bytes;

    @SuppressWarnings("MustBeClosed") // Closed with this.
    private Local(long size) {
      arena = Arena.ofShared();
      bytes = arena.allocate(size, 4096);
    }

    @Override
    public MemorySegment bytes() {
      return bytes;
    }

    @Override
    public Attachment attachment() {
      return new LocalMemory(bytes);
    }

    @Override
    public void truncate(long size) {
      throw new UnsupportedOperationException("plain memory has no file to cut short");
    }

    @Override
    public void close() {
      arena.close();
    }
  }
}
