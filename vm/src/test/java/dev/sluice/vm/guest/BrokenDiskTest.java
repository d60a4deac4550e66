package dev.sluice.vm.guest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.Mapping;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.GuestMemory;
import dev.sluice.pci.ConfigSpace;
import dev.sluice.pci.FunctionHost;
import dev.sluice.pci.Interrupts;
import dev.sluice.pci.PciFunction;
import dev.sluice.pci.nvme.BlockBackend;
import dev.sluice.vm.guest.TestBoot.Result;
import dev.sluice.vm.guest.machine.Bus;
import dev.sluice.vm.guest.machine.Hardware;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Each check about the disk and the test device fails on one that is broken for it.
class BrokenDiskTest {
  private static final int CONFIGURATION = 0x14;
  private static final int STATUS = 0x1C;

  @TempDir private Path folder;

  private TestBoot boot() throws Exception {
    return new TestBoot(folder);
  }

  /// For a disk that never does something.
  private TestBoot impatientBoot() throws Exception {
    return boot().impatient();
  }

  @Test
  void oneFlippedBitFailsTheChecksumOfTheWholeDisk() throws Exception {
    Result result =
        boot()
            .backend(inner ->
                new Backend(inner) {
                  @Override
                  public void read(long position, ByteBuffer into) throws IOException {
                    int start = into.position();
                    super.read(position, into);
                    long flipped = 1_234_567 - position;
                    if (flipped >= 0 && flipped < into.position() - start) {
                      int at = start + (int) flipped;
                      into.put(at, (byte) (into.get(at) ^ 1));
                    }
                  }
                })
            .run();

    assertThat(result.failed()).containsExactly("disk-read");
    assertThat(result.check("disk-read").detail()).startsWith("8388608 bytes have sha256");
  }

  @Test
  void aDiskOfAnotherSizeIsNoticed() throws Exception {
    Result result =
        boot()
            .backend(inner ->
                new Backend(inner) {
                  @Override
                  public long size() {
                    return super.size() - 512;
                  }
                })
            .run();

    assertThat(result.failed()).contains("disk-found", "disk-read");
    assertThat(result.check("disk-found").detail())
        .isEqualTo("the disk has 8388096 bytes, expected 8388608");
  }

  @Test
  void writesThatAreLostDoNotReadBack() throws Exception {
    Result result =
        boot()
            .backend(inner ->
                new Backend(inner) {
                  @Override
                  public void write(long position, ByteBuffer from) {
                    from.position(from.limit());
                  }
                })
            .run();

    assertThat(result.failed()).containsExactly("disk-write", "rebind");
    assertThat(result.check("disk-write").detail()).contains("read back with sha256");
    assertThat(result.written().passed()).isFalse();
  }

  @Test
  void aFlushThatIsNotHonouredShowsInTheFile() throws Exception {
    Result result = boot().backend(NeverWritten::new).run();

    assertThat(result.failed()).isEmpty();
    assertThat(result.written().passed()).isFalse();
  }

  @Test
  void aFlushThatFailsIsAFailedWrite() throws Exception {
    Result result =
        boot()
            .backend(inner ->
                new Backend(inner) {
                  @Override
                  public void flush() throws IOException {
                    throw new IOException("the medium is gone");
                  }
                })
            .run();

    assertThat(result.check("disk-write").detail()).startsWith("Flush failed with status 2/80");
    assertThat(result.check("rebind").detail())
        .startsWith("the NVMe controller does not shut down: CSTS");
  }

  @Test
  void aControllerThatDoesNotInterruptIsNotADisk() throws Exception {
    Result result = impatientBoot().controller(Mute::new).run();

    assertThat(result.check("disk-found").detail())
        .contains("did not complete within 1000 ms", "the interrupt is missing");
    assertThat(result.failed())
        .containsExactly("disk-found", "iommu-group", "disk-read", "disk-write", "rebind");
  }

  @Test
  void aControllerThatNeverGetsReadyIsNotADisk() throws Exception {
    Result result =
        impatientBoot()
            .hardware(inner ->
                new Wired(inner) {
                  @Override
                  public long read(long address, int size) {
                    long value = super.read(address, size);
                    return offset(address) == STATUS ? value & ~1 : value;
                  }
                })
            .run();

    assertThat(result.check("disk-found").detail())
        .isEqualTo("CSTS.RDY of the NVMe controller did not become 1 within 1000 ms");
  }

  @Test
  void aControllerThatStartsOnlyOnceFailsToBindAgain() throws Exception {
    Result result =
        impatientBoot()
            .hardware(inner ->
                new Wired(inner) {
                  private boolean shutDown;

                  @Override
                  public void write(long address, int size, long value) {
                    boolean configures = offset(address) == CONFIGURATION;
                    if (!configures || !shutDown) {
                      super.write(address, size, value);
                    }
                    shutDown |= configures && (value & 0xC000) != 0;
                  }
                })
            .run();

    assertThat(result.failed()).containsExactly("rebind");
  }

  @Test
  void aMissingTestDeviceIsNoticed() throws Exception {
    Result result =
        boot()
            .hardware(inner ->
                new Wired(inner) {
                  @Override
                  public long readConfig(RequesterId function, int offset, int size) {
                    return function.equals(DriverBench.TEST_DEVICE)
                        ? -1L >>> (64 - 8 * size)
                        : super.readConfig(function, offset, size);
                  }
                })
            .run();

    assertThat(result.failed()).containsExactly("test-device", "dma-blocked", "dma-fault");
    assertThat(result.check("test-device").detail()).isEqualTo("there is no PCI function 00:06.0");
  }

  @Test
  void withoutAnIommuTheDmaArrives() throws Exception {
    Result result = boot().withoutIommu().run();

    assertThat(result.failed()).isEmpty();
    assertThat(result.check("dma-arrived").passed()).isTrue();
    assertThat(result.written().passed()).isTrue();
  }

  private static class Backend implements BlockBackend {
    private final BlockBackend inner;

    Backend(BlockBackend inner) {
      this.inner = inner;
    }

    @Override
    public long size() {
      return inner.size();
    }

    @Override
    public boolean writable() {
      return inner.writable();
    }

    @Override
    public void read(long position, ByteBuffer into) throws IOException {
      inner.read(position, into);
    }

    @Override
    public void write(long position, ByteBuffer from) throws IOException {
      inner.write(position, from);
    }

    @Override
    public void read(long position, Mapping into, long offset, int length) throws IOException {
      byte[] bytes = new byte[length];
      read(position, ByteBuffer.wrap(bytes));
      into.write(offset, MemorySegment.ofArray(bytes), 0, length);
    }

    @Override
    public void write(long position, Mapping from, long offset, int length) throws IOException {
      byte[] bytes = new byte[length];
      from.read(offset, MemorySegment.ofArray(bytes), 0, length);
      write(position, ByteBuffer.wrap(bytes));
    }

    @Override
    public void flush() throws IOException {
      inner.flush();
    }

    @Override
    public void close() throws IOException {
      inner.close();
    }
  }

  /// Keeps what is written to itself, flushed or not.
  private static final class NeverWritten extends Backend {
    private final byte[] cache = new byte[TestBoot.DISK_BYTES];
    private boolean loaded;

    NeverWritten(BlockBackend inner) {
      super(inner);
    }

    @Override
    public synchronized void read(long position, ByteBuffer into) throws IOException {
      load();
      into.put(cache, (int) position, into.remaining());
    }

    @Override
    public synchronized void write(long position, ByteBuffer from) throws IOException {
      load();
      from.get(cache, (int) position, from.remaining());
    }

    private void load() throws IOException {
      if (!loaded) {
        super.read(0, ByteBuffer.wrap(cache));
        loaded = true;
      }
    }

    @Override
    public void flush() {}
  }

  /// A function whose interrupts go nowhere.
  private record Mute(PciFunction inner) implements PciFunction {
    @Override
    public ConfigSpace config() {
      return inner.config();
    }

    @Override
    public void connect(FunctionHost host) {
      inner.connect(FunctionHost.of(host.dma(), new Silence()));
    }

    @Override
    public void disconnect(Runnable completed) {
      inner.disconnect(completed);
    }

    @Override
    public void reset(Runnable completed) {
      inner.reset(completed);
    }

    @Override
    public void close() {
      inner.close();
    }

    private static final class Silence implements Interrupts {
      @Override
      public void signal(int vector) {}

      @Override
      public void pin(boolean asserted) {}
    }
  }

  /// A machine whose wires to functions can be bad.
  private static class Wired implements Hardware, Bus {
    private final Hardware inner;
    private final Bus innerBus;

    Wired(Hardware inner) {
      this.inner = inner;
      innerBus = inner.bus();
    }

    /// Where in the controller's first page an address is, or -1.
    final long offset(long address) {
      long base = innerBus.readConfig(DriverBench.DISK, 0x10, 4) & -4096;
      return address >= base && address < base + 4096 ? address - base : -1;
    }

    @Override
    public long read(long address, int size) {
      return innerBus.read(address, size);
    }

    @Override
    public void write(long address, int size, long value) {
      innerBus.write(address, size, value);
    }

    @Override
    public long readConfig(RequesterId function, int offset, int size) {
      return innerBus.readConfig(function, offset, size);
    }

    @Override
    public void writeConfig(RequesterId function, int offset, int size, long value) {
      innerBus.writeConfig(function, offset, size, value);
    }

    @Override
    public Bus bus() {
      return this;
    }

    @Override
    public GuestMemory memory() {
      return inner.memory();
    }

    @Override
    public long ramBytes() {
      return inner.ramBytes();
    }

    @Override
    public Optional<byte[]> dmarTable() {
      return inner.dmarTable();
    }

    @Override
    public void interruptsTo(MessageSink sink) {
      inner.interruptsTo(sink);
    }
  }
}
