package dev.sluice.pci.nvme;

import dev.sluice.dma.Mapping;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/// A real file that can be made slow or broken.
final class ScriptedBackend implements BlockBackend {
  private final FileBackend file;
  private volatile boolean readsBreak;
  private volatile boolean readsFail;
  private volatile boolean writesFail;
  private volatile boolean flushesFail;
  private volatile boolean closed;
  private volatile CountDownLatch gate = new CountDownLatch(0);
  final Semaphore entered = new Semaphore(0);
  final AtomicInteger flushes = new AtomicInteger();
  final AtomicInteger mappedTransfers = new AtomicInteger();
  final AtomicInteger bouncedTransfers = new AtomicInteger();
  final List<Long> deallocated = new ArrayList<>();

  ScriptedBackend(Path path, boolean writable) throws IOException {
    file = FileBackend.open(path, writable);
  }

  /// Reads end as only a defect of a backend can end them.
  void breakReads() {
    readsBreak = true;
  }

  void failReads() {
    readsFail = true;
  }

  void failWrites() {
    writesFail = true;
  }

  void failFlushes() {
    flushesFail = true;
  }

  boolean closed() {
    return closed;
  }

  /// Transfers wait from now on; the returned latch, counted down, lets all go.
  CountDownLatch shutGate() {
    CountDownLatch latch = new CountDownLatch(1);
    gate = latch;
    return latch;
  }

  /// Lets all transfers go, those to come too.
  void openGate() {
    gate.countDown();
  }

  private void pass(boolean fails) throws IOException {
    entered.release();
    try {
      gate.await();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
    if (fails) {
      throw new IOException("as the test ordered");
    }
  }

  @Override
  public long size() {
    return file.size();
  }

  @Override
  public boolean writable() {
    return file.writable();
  }

  @Override
  public void read(long position, ByteBuffer into) throws IOException {
    pass(readsFail);
    bouncedTransfers.incrementAndGet();
    file.read(position, into);
  }

  @Override
  public void write(long position, ByteBuffer from) throws IOException {
    pass(writesFail);
    bouncedTransfers.incrementAndGet();
    file.write(position, from);
  }

  @Override
  public void read(long position, Mapping into, long offset, int length) throws IOException {
    pass(readsFail);
    if (readsBreak) {
      throw new IllegalStateException("as the test ordered");
    }
    mappedTransfers.incrementAndGet();
    file.read(position, into, offset, length);
  }

  @Override
  public void write(long position, Mapping from, long offset, int length) throws IOException {
    pass(writesFail);
    mappedTransfers.incrementAndGet();
    file.write(position, from, offset, length);
  }

  @Override
  public void flush() throws IOException {
    flushes.incrementAndGet();
    if (flushesFail) {
      throw new IOException("as the test ordered");
    }
    file.flush();
  }

  @Override
  public void deallocate(long position, long length) {
    synchronized (deallocated) {
      deallocated.add(position);
      deallocated.add(length);
    }
  }

  @Override
  public void close() throws IOException {
    closed = true;
    file.close();
  }
}
