package dev.sluice.testkit.contract;

import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;

/// A file of equal bytes whose reads and writes stop at a gate with guest memory in their hands, as
/// the kernel does when a disk is slow.
final class GatedFile extends FileChannel {
  private final Gate gate;
  private final byte contents;

  GatedFile(Gate gate, byte contents) {
    this.gate = gate;
    this.contents = contents;
  }

  @Override
  public int read(ByteBuffer into, long position) {
    gate.pass();
    int bytes = into.remaining();
    while (into.hasRemaining()) {
      into.put(contents);
    }
    return bytes;
  }

  @Override
  public int write(ByteBuffer from, long position) {
    gate.pass();
    int bytes = from.remaining();
    from.position(from.limit());
    return bytes;
  }

  private static UnsupportedOperationException none() {
    return new UnsupportedOperationException("positional reads and writes only");
  }

  @Override
  public int read(ByteBuffer into) {
    throw none();
  }

  @Override
  public long read(ByteBuffer[] into, int offset, int length) {
    throw none();
  }

  @Override
  public int write(ByteBuffer from) {
    throw none();
  }

  @Override
  public long write(ByteBuffer[] from, int offset, int length) {
    throw none();
  }

  @Override
  public long position() {
    throw none();
  }

  @Override
  public FileChannel position(long position) {
    throw none();
  }

  @Override
  public long size() {
    throw none();
  }

  @Override
  public FileChannel truncate(long size) {
    throw none();
  }

  @Override
  public void force(boolean metaData) {}

  @Override
  public long transferTo(long position, long count, WritableByteChannel target) {
    throw none();
  }

  @Override
  public long transferFrom(ReadableByteChannel source, long position, long count) {
    throw none();
  }

  @Override
  public MappedByteBuffer map(MapMode mode, long position, long size) {
    throw none();
  }

  @Override
  public FileLock lock(long position, long size, boolean shared) {
    throw none();
  }

  @Override
  public FileLock tryLock(long position, long size, boolean shared) {
    throw none();
  }

  @Override
  protected void implCloseChannel() {}
}
