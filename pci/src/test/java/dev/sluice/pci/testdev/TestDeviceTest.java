package dev.sluice.pci.testdev;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.DmaContext;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import dev.sluice.pci.Bar;
import dev.sluice.pci.BarHandler;
import dev.sluice.pci.FunctionHost;
import dev.sluice.pci.Interrupts;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The test device through its registers, by the offsets and bits of `docs/devices.md`.
class TestDeviceTest implements FunctionHost, Interrupts {
  private static final int STATUS = 0x04;
  private static final int CONTROL = 0x08;
  private static final int OPERATION = 0x0c;
  private static final int IOVA = 0x10;
  private static final int LENGTH = 0x18;
  private static final int COUNT = 0x1c;
  private static final int STRIDE = 0x20;
  private static final int HOLD = 0x24;
  private static final int SEED = 0x28;
  private static final int VECTOR = 0x2c;
  private static final int OPERAND = 0x30;
  private static final int COMPARE = 0x38;
  private static final int MOVED = 0x40;
  private static final int ABORT_REASON = 0x48;
  private static final int FAULT_CODE = 0x4c;
  private static final int ABORT_IOVA = 0x50;
  private static final int CHECKSUM = 0x58;
  private static final int WITNESS = 0x5c;
  private static final int ENDED = 0x64;
  private static final int SECOND = 0x800;
  private static final int WINDOW = 0x1000;

  private static final int READ = 1;
  private static final int WRITE = 2;
  private static final int FILL = 3;
  private static final int FETCH_AND_ADD = 4;
  private static final int COMPARE_AND_EXCHANGE = 5;
  private static final int CHECK_READ = 6;
  private static final int CHECK_WRITE = 7;

  private static final int BUSY = 1;
  private static final int DONE = 2;
  private static final int ABORTED = 4;
  private static final int REFUSED = 8;
  private static final int HOLDING = 16;

  private static final long RAM = 1 << 20;
  private static final int FOR_EVER = -1;

  private final GuestMemory memory = new GuestMemory();
  private final DmaContext dma = DmaContext.direct(memory, RequesterId.of(0, 6, 0));
  private final Semaphore interrupts = new Semaphore(0);
  private final AtomicInteger lastVector = new AtomicInteger(-1);
  private final TestDevice device = new TestDevice("test");
  private final BarHandler bar = device.bar(0).map(Bar::handler).orElseThrow();

  @BeforeEach
  void connect() {
    memory.addRam(0, RamRegion.allocate(RAM));
    device.connect(this);
    device.config().write(0x04, 2, 0b110);
  }

  @AfterEach
  void close() {
    device.close();
    dma.close();
    memory.remove(0, -1, () -> {});
  }

  @Override
  public DmaContext dma() {
    return dma;
  }

  @Override
  public Interrupts interrupts() {
    return this;
  }

  @Override
  public void signal(int vector) {
    lastVector.set(vector);
    interrupts.release();
  }

  @Override
  public void pin(boolean asserted) {
    throw new AssertionError("the device has no pin");
  }

  private int get(int register) {
    return (int) bar.read(register, 4);
  }

  private void set(int register, int value) {
    bar.write(register, 4, value);
  }

  private void prepare(int operation, long iova, int length) {
    set(OPERATION, operation);
    bar.write(IOVA, 8, iova);
    set(LENGTH, length);
  }

  private void start() {
    set(CONTROL, 1);
  }

  private void release() {
    set(CONTROL, 2);
  }

  /// Starts what was prepared and waits for its interrupt.
  private int run() {
    start();
    interrupts.acquireUninterruptibly();
    return get(STATUS);
  }

  private int run(int operation, long iova, int length) {
    prepare(operation, iova, length);
    return run();
  }

  private void awaitHolding() {
    while ((get(STATUS) & HOLDING) == 0) {
      Thread.onSpinWait();
    }
  }

  private byte[] peek(long address, int length) {
    byte[] bytes = new byte[length];
    memory.read(address, MemorySegment.ofArray(bytes), 0, length);
    return bytes;
  }

  private byte[] counting(int first, int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) (first + i);
    }
    return bytes;
  }

  @Test
  void introducesItself() {
    assertThat(device.config().read(0, 4)).isEqualTo(0x5105_1234);
    assertThat(get(0)).isEqualTo(0x3154_4c53);
    assertThat(get(STATUS)).isZero();
    assertThat(device.interruptVectors()).isEqualTo(4);
  }

  @Test
  void writesThePatternWhereItIsToldAndNowhereElse() {
    set(SEED, 0xf0);
    assertThat(run(WRITE, 0x1234, 70_000)).isEqualTo(DONE);

    assertThat(peek(0x1234, 70_000)).isEqualTo(counting(0xf0, 70_000));
    assertThat(peek(0, 0x1234)).containsOnly(0);
    assertThat(peek(0x1234 + 70_000, 4096)).containsOnly(0);
    assertThat(get(MOVED)).isEqualTo(70_000);
  }

  @Test
  void fillsWithOneByte() {
    set(SEED, 0xa5);
    assertThat(run(FILL, 4096, 100)).isEqualTo(DONE);

    assertThat(peek(4096, 100)).containsOnly(0xa5);
    assertThat(peek(4196, 1)).containsOnly(0);
  }

  @Test
  void readsIntoTheWindowAndTheChecksum() {
    byte[] data = counting(7, 100_000);
    memory.write(0x3001, MemorySegment.ofArray(data), 0, data.length);
    assertThat(run(READ, 0x3001, 100_000)).isEqualTo(DONE);

    CRC32 expected = new CRC32();
    expected.update(data);
    assertThat(get(CHECKSUM)).isEqualTo((int) expected.getValue());
    assertThat(get(WINDOW)).isEqualTo(0x0a09_0807);
    assertThat(bar.read(WINDOW + 4095, 1)).isEqualTo(data[4095] & 0xff);
    assertThat(get(MOVED)).isEqualTo(100_000);
  }

  @Test
  void repeatsWithAStride() {
    prepare(FILL, 0x8000, 16);
    set(SEED, 1);
    set(COUNT, 3);
    set(STRIDE, -4096);
    assertThat(run()).isEqualTo(DONE);

    for (long address : new long[] {0x8000, 0x7000, 0x6000}) {
      assertThat(peek(address, 17)).startsWith(counting(1, 1)).endsWith(0);
    }
    assertThat(peek(0x5000, 16)).containsOnly(0);
    assertThat(get(MOVED)).isEqualTo(48);
  }

  @Test
  void addsAtomically() {
    memory.store(0x100, 8, ByteOrder.LITTLE_ENDIAN, 0x1_ffff_ffffL);
    bar.write(OPERAND, 8, 2);
    assertThat(run(FETCH_AND_ADD, 0x100, 8)).isEqualTo(DONE);

    assertThat(bar.read(WITNESS, 8)).isEqualTo(0x1_ffff_ffffL);
    assertThat(peek(0x100, 8)).containsExactly(1, 0, 0, 0, 2, 0, 0, 0);
  }

  @Test
  void comparesAndExchangesAtomically() {
    memory.store(0x100, 4, ByteOrder.LITTLE_ENDIAN, 5);
    set(COMPARE, 5);
    set(OPERAND, 9);
    assertThat(run(COMPARE_AND_EXCHANGE, 0x100, 4)).isEqualTo(DONE);
    assertThat(get(WITNESS)).isEqualTo(5);
    assertThat(peek(0x100, 1)).containsOnly(9);

    assertThat(run(COMPARE_AND_EXCHANGE, 0x100, 4)).isEqualTo(DONE);
    assertThat(get(WITNESS)).as("not replaced").isEqualTo(9);
  }

  @ParameterizedTest
  @ValueSource(ints = {READ, WRITE, FILL, CHECK_READ, CHECK_WRITE})
  void anAddressWithoutMemoryAborts(int operation) {
    assertThat(run(operation, RAM - 100, 200)).isEqualTo(DONE | ABORTED);

    assertThat(get(ABORT_REASON)).as("no memory").isEqualTo(9);
    assertThat(get(FAULT_CODE)).as("no IOMMU").isEqualTo(-1);
    assertThat(bar.read(ABORT_IOVA, 8)).isEqualTo(RAM);
    boolean moves = operation != CHECK_READ && operation != CHECK_WRITE;
    assertThat(get(MOVED)).isEqualTo(moves ? 100 : 0);
  }

  @Test
  void anAbortedReadShowsWhatItReadBefore() {
    byte[] data = counting(1, 100);
    memory.write(RAM - 100, MemorySegment.ofArray(data), 0, 100);
    run(READ, RAM - 100, 200);

    CRC32 expected = new CRC32();
    expected.update(data);
    assertThat(get(CHECKSUM)).isEqualTo((int) expected.getValue());
    assertThat(bar.read(WINDOW + 99, 1)).isEqualTo(100);
  }

  @Test
  void theNextOperationClearsWhatTheLastOneLeft() {
    run(READ, RAM, 4);
    assertThat(run(CHECK_WRITE, 0, 4)).isEqualTo(DONE);

    assertThat(get(ABORT_REASON)).isZero();
    assertThat(get(ENDED)).isEqualTo(2);
  }

  @Test
  void withoutBusMasteringEverythingAborts() {
    device.config().write(0x04, 2, 0b010);

    assertThat(run(WRITE, 0, 4)).isEqualTo(DONE | ABORTED);
    assertThat(get(ABORT_REASON)).isEqualTo(14);
    assertThat(peek(0, 4)).containsOnly(0);
  }

  @Test
  void misalignedAtomicsAbort() {
    assertThat(run(FETCH_AND_ADD, 0x102, 4)).isEqualTo(DONE | ABORTED);
    assertThat(get(ABORT_REASON)).isEqualTo(11);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 4, 0", // no operation
    "8, 4, 0", // unknown operation
    "1, 0, 0", // no bytes
    "1, -1, 0", // 4 GiB
    "1, 16777217, 0", // more than 16 MiB
    "4, 2, 0", // an atomic operation of 2 bytes
    "5, 16, 0", // and of 16
    "4, 4, 100", // an atomic operation through a mapping
    "6, 4, 100" // a check through a mapping
  })
  void impossibleOperationsAreRefused(int operation, int length, int hold) {
    prepare(operation, 0, length);
    set(HOLD, hold);
    start();

    assertThat(get(STATUS)).isEqualTo(REFUSED);
    set(HOLD, 0);
    assertThat(run(READ, 0, 4)).as("a possible one afterwards").isEqualTo(DONE);
  }

  @Test
  void aHeldMappingIsTouchedOnlyAfterItsRelease() {
    prepare(WRITE, 0x1000, 8192);
    set(SEED, 1);
    set(HOLD, FOR_EVER);
    start();
    awaitHolding();
    assertThat(get(STATUS)).isEqualTo(BUSY | HOLDING);
    assertThat(peek(0x1000, 8192)).containsOnly(0);

    release();
    interrupts.acquireUninterruptibly();

    assertThat(get(STATUS)).isEqualTo(DONE);
    assertThat(peek(0x1000, 8192)).isEqualTo(counting(1, 8192));
    assertThat(get(MOVED)).isEqualTo(8192);
  }

  @Test
  void aHoldEndsByItself() {
    prepare(READ, 0x1000, 4);
    set(HOLD, 50);

    assertThat(run()).isEqualTo(DONE);
  }

  @Test
  void startingWhileBusyIsRefusedAndDisturbsNothing() {
    prepare(WRITE, 0x1000, 4);
    set(SEED, 1);
    set(HOLD, FOR_EVER);
    start();
    awaitHolding();

    prepare(FILL, 0x2000, 4);
    start();
    assertThat(get(STATUS)).isEqualTo(BUSY | HOLDING | REFUSED);
    release();
    interrupts.acquireUninterruptibly();

    assertThat(get(STATUS)).isEqualTo(DONE | REFUSED);
    assertThat(peek(0x1000, 4)).containsExactly(1, 2, 3, 4);
    assertThat(peek(0x2000, 4)).containsOnly(0);
  }

  @Test
  void removalOfMemoryWaitsForAHeldMapping() {
    dma.revocation(Revocation.never());
    prepare(WRITE, 0x1000, 4096);
    set(HOLD, FOR_EVER);
    start();
    awaitHolding();
    CountDownLatch drained = new CountDownLatch(1);
    memory.remove(0, RAM - 1, drained::countDown);
    assertThat(drained.getCount()).isEqualTo(1);

    release();
    interrupts.acquireUninterruptibly();

    assertThat(drained.getCount()).isZero();
    assertThat(get(STATUS)).as("the mapping was good to the end").isEqualTo(DONE);
  }

  @Test
  void aMappingThatIsTakenAwayAborts() {
    dma.revocation(Revocation.immediately());
    prepare(WRITE, 0x1000, 4096);
    set(HOLD, FOR_EVER);
    start();
    awaitHolding();
    memory.remove(0, RAM - 1, () -> {});

    release();
    interrupts.acquireUninterruptibly();

    assertThat(get(STATUS)).isEqualTo(DONE | ABORTED);
    assertThat(get(ABORT_REASON)).as("revoked").isEqualTo(32);
    assertThat(bar.read(ABORT_IOVA, 8)).isEqualTo(0x1000);
    assertThat(get(MOVED)).isZero();
  }

  @Test
  void aHeldAccessAcrossRegionsIsMappedInParts() {
    memory.addRam(RAM, RamRegion.allocate(8192));
    prepare(WRITE, RAM - 100, 300);
    set(HOLD, 1);
    set(SEED, 3);

    assertThat(run()).isEqualTo(DONE);
    assertThat(peek(RAM - 100, 300)).isEqualTo(counting(3, 300));
  }

  @Test
  void aHeldAccessThatIsRefusedTouchesNothing() {
    prepare(WRITE, RAM - 100, 300);
    set(HOLD, FOR_EVER);
    set(SEED, 3);

    assertThat(run()).isEqualTo(DONE | ABORTED);
    assertThat(bar.read(ABORT_IOVA, 8)).isEqualTo(RAM);
    assertThat(peek(RAM - 100, 100)).containsOnly(0);
  }

  @Test
  void aResetEndsAHoldWithoutTouchingMemoryAndWithoutAnInterrupt() throws InterruptedException {
    prepare(WRITE, 0x1000, 4096);
    set(HOLD, FOR_EVER);
    set(SEED, 9);
    start();
    awaitHolding();
    CountDownLatch done = new CountDownLatch(1);

    device.reset(done::countDown);
    done.await();

    assertThat(get(STATUS)).isZero();
    assertThat(get(OPERATION)).isZero();
    assertThat(get(ENDED)).isZero();
    assertThat(peek(0x1000, 4096)).containsOnly(0);
    assertThat(interrupts.availablePermits()).isZero();
    device.config().write(0x04, 2, 0b110);
    assertThat(run(FILL, 0, 4)).isEqualTo(DONE);
  }

  @Test
  void interruptsOnTheVectorThatItWasTold() {
    set(VECTOR, 3);
    run(READ, 0, 4);
    assertThat(lastVector).hasValue(3);

    set(VECTOR, 4);
    prepare(READ, 0, 4);
    start();
    while (get(ENDED) != 2) {
      Thread.onSpinWait();
    }
    set(VECTOR, 1);
    run(READ, 0, 4);
    assertThat(lastVector).as("nothing in between").hasValue(1);
    assertThat(interrupts.availablePermits()).isZero();
  }

  @Test
  void theSecondChannelGoesOnWhileTheFirstHolds() {
    prepare(WRITE, 0x1000, 4096);
    set(HOLD, FOR_EVER);
    start();
    awaitHolding();

    set(SECOND + OPERATION, FILL);
    bar.write(SECOND + IOVA, 8, 0x3000);
    set(SECOND + LENGTH, 16);
    set(SECOND + SEED, 0x5a);
    set(SECOND + CONTROL, 1);
    interrupts.acquireUninterruptibly();

    assertThat(get(SECOND)).isEqualTo(0x3154_4c53);
    assertThat(get(SECOND + STATUS)).isEqualTo(DONE);
    assertThat(get(SECOND + MOVED)).isEqualTo(16);
    assertThat(peek(0x3000, 16)).containsOnly(0x5a);
    assertThat(get(STATUS)).isEqualTo(BUSY | HOLDING);
    assertThat(get(ENDED)).isZero();
    release();
    interrupts.acquireUninterruptibly();
    assertThat(get(STATUS)).isEqualTo(DONE);
  }

  @Test
  void aReadOfTheSecondChannelLeavesTheWindowAlone() {
    set(SEED, 1);
    run(WRITE, 0x1000, 16);
    run(READ, 0x1000, 4);
    int before = get(WINDOW);

    set(SECOND + OPERATION, READ);
    bar.write(SECOND + IOVA, 8, 0x1004);
    set(SECOND + LENGTH, 4);
    set(SECOND + CONTROL, 1);
    interrupts.acquireUninterruptibly();

    CRC32 crc = new CRC32();
    crc.update(new byte[] {5, 6, 7, 8});
    assertThat(get(SECOND + CHECKSUM)).isEqualTo((int) crc.getValue());
    assertThat(get(WINDOW)).isEqualTo(before).isEqualTo(0x0403_0201);
  }

  @Test
  void aResetIsCompleteWhenBothChannelsHaveLetGo() throws InterruptedException {
    for (int channel : new int[] {0, SECOND}) {
      set(channel + OPERATION, WRITE);
      bar.write(channel + IOVA, 8, 0x1000);
      set(channel + LENGTH, 4096);
      set(channel + HOLD, FOR_EVER);
      set(channel + CONTROL, 1);
      while ((get(channel + STATUS) & HOLDING) == 0) {
        Thread.onSpinWait();
      }
    }
    CountDownLatch done = new CountDownLatch(1);

    device.disconnect(done::countDown);
    done.await();

    assertThat(peek(0x1000, 4096)).containsOnly(0);
    assertThat(get(STATUS)).isZero();
    assertThat(get(SECOND + STATUS)).isZero();
    assertThat(interrupts.availablePermits()).isZero();
  }

  @Test
  void aDisconnectedDeviceRefuses() throws InterruptedException {
    CountDownLatch done = new CountDownLatch(1);
    device.disconnect(done::countDown);
    done.await();

    prepare(READ, 0, 4);
    start();
    assertThat(get(STATUS)).isEqualTo(REFUSED);
    device.connect(this);
    device.config().write(0x04, 2, 0b110);
    assertThat(run(READ, 0, 4)).isEqualTo(DONE);
  }

  @Test
  void readOnlyRegistersAndOddWritesAreIgnored() {
    set(0, 1);
    set(STATUS, -1);
    set(MOVED, 7);
    set(0x68, -1);
    bar.write(LENGTH, 2, 0x1234);
    bar.write(LENGTH + 2, 4, -1);
    set(WINDOW, -1);

    assertThat(get(0)).isEqualTo(0x3154_4c53);
    assertThat(get(STATUS)).isZero();
    assertThat(get(MOVED)).isZero();
    assertThat(get(0x68)).isZero();
    assertThat(get(LENGTH)).isZero();
    assertThat(get(WINDOW)).isZero();
    set(SEED, -1);
    assertThat(get(SEED)).isEqualTo(0xff);
  }

  @Test
  void closingEndsAHoldAndTheThread() {
    prepare(WRITE, 0x1000, 4096);
    set(HOLD, FOR_EVER);
    start();
    awaitHolding();

    device.close();

    assertThat(Thread.getAllStackTraces().keySet())
        .noneMatch(thread -> thread.getName().startsWith("test-device-test"));
    start();
    assertThat(get(STATUS) & REFUSED).isEqualTo(REFUSED);
  }
}
