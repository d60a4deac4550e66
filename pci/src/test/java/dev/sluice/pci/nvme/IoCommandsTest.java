package dev.sluice.pci.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The NVM command set (NVMe 1.4, chapter 6).
class IoCommandsTest {
  private static final int INVALID_OPCODE = 0x001;
  private static final int INVALID_FIELD = 0x002;
  private static final int DATA_TRANSFER_ERROR = 0x004;
  private static final int INTERNAL_ERROR = 0x006;
  private static final int INVALID_NAMESPACE = 0x00b;
  private static final int WRITE_PROTECTED = 0x020;
  private static final int LBA_OUT_OF_RANGE = 0x080;
  private static final int WRITE_FAULT = 0x280;
  private static final int UNRECOVERED_READ_ERROR = 0x281;
  private static final int COMPARE_FAILURE = 0x285;
  private static final int COMPARE = 0x05;
  private static final int WRITE_ZEROES = 0x08;
  private static final int DATASET_MANAGEMENT = 0x09;
  private static final int FUA = 1 << 30;
  private static final int BLOCKS = 4096;

  @TempDir Path folder;
  private Path image;
  private byte[] content;
  private ScriptedBackend backend;
  private NvmeGuest guest;
  private long page;

  @BeforeEach
  void start() throws IOException {
    image = folder.resolve("disk");
    content = new byte[BLOCKS * 512];
    new SplittableRandom(42).nextBytes(content);
    Files.write(image, content);
    open(true);
  }

  private void open(boolean writable) throws IOException {
    backend = new ScriptedBackend(image, writable);
    guest = new NvmeGuest(backend).enable();
    page = guest.pages(8);
  }

  @AfterEach
  void stop() {
    guest.close();
  }

  private int status(Command command) {
    return guest.io(command).status();
  }

  private byte[] blocks(int first, int count) {
    return Arrays.copyOfRange(content, first * 512, (first + count) * 512);
  }

  @Test
  void readBringsTheBlocksOfTheFile() {
    assertThat(status(Command.read(7, 8, page))).isZero();

    assertThat(guest.peek(page, 4096)).isEqualTo(blocks(7, 8));
    assertThat(guest.controller.statistics().bytesRead()).isEqualTo(4096);
    assertThat(guest.controller.statistics().reads()).isEqualTo(1);
    assertThat(backend.mappedTransfers).as("without a copy").hasValue(1);
  }

  @Test
  void writeChangesTheBlocksOfTheFileAndNoOthers() throws IOException {
    byte[] data = new byte[1024];
    Arrays.fill(data, (byte) 0x5a);
    guest.poke(page, data);

    assertThat(status(Command.write(100, 2, page))).isZero();

    System.arraycopy(data, 0, content, 100 * 512, 1024);
    assertThat(Files.readAllBytes(image)).isEqualTo(content);
    assertThat(guest.controller.statistics().bytesWritten()).isEqualTo(1024);
    assertThat(guest.controller.statistics().writes()).isEqualTo(1);
    assertThat(backend.flushes).as("not forced to the disk").hasValue(0);
  }

  /// A PRP list of the pages 7, 5, 3, 1 of `page`, and a fifth at `last`.
  private Command scattered(Command command, long last) {
    long list = guest.pages(1);
    for (int i = 1; i < 4; i++) {
      guest.pokeLong(list + 8L * (i - 1), page + 4096L * (7 - 2 * i));
    }
    guest.pokeLong(list + 24, last);
    return command.prp(page + 7 * 4096, list);
  }

  @Test
  void scatteredPagesAreMovedWithOneTransferOfTheFile() throws IOException {
    assertThat(status(scattered(Command.read(9, 40, 0), page))).isZero();
    for (int i = 0; i < 4; i++) {
      assertThat(guest.peek(page + 4096L * (7 - 2 * i), 4096)).isEqualTo(blocks(9 + 8 * i, 8));
    }
    assertThat(guest.peek(page, 4096)).isEqualTo(blocks(41, 8));
    assertThat(backend.bouncedTransfers).hasValue(1);

    assertThat(status(scattered(Command.write(1000, 40, 0), page))).isZero();
    System.arraycopy(blocks(9, 40), 0, content, 1000 * 512, 40 * 512);
    assertThat(Files.readAllBytes(image)).isEqualTo(content);
    assertThat(backend.bouncedTransfers).hasValue(2);
    assertThat(backend.mappedTransfers).hasValue(0);
  }

  @Test
  void aWriteFromScatteredPagesOfWhichOneIsRefusedChangesNothing() throws IOException {
    assertThat(status(scattered(Command.write(0, 40, 0), NvmeGuest.RAM)))
        .isEqualTo(DATA_TRANSFER_ERROR);
    assertThat(status(scattered(Command.read(0, 40, 0), NvmeGuest.RAM)))
        .isEqualTo(DATA_TRANSFER_ERROR);

    assertThat(Files.readAllBytes(image)).isEqualTo(content);
  }

  @Test
  void longPiecesAreMovedStraightAndTheSmallRestByOneTransfer() {
    long large = guest.pages(33);
    guest.pages(1);
    long small = guest.pages(1);
    long list = guest.pages(1);
    for (int i = 1; i < 16; i++) {
      guest.pokeLong(list + 8L * (i - 1), large + 4096L * i);
    }
    guest.pokeLong(list + 120, small);

    assertThat(status(Command.read(0, 17 * 8, large).prp(large, list))).isZero();

    assertThat(guest.peek(large, 16 * 4096)).isEqualTo(blocks(0, 128));
    assertThat(guest.peek(small, 4096)).isEqualTo(blocks(128, 8));
    assertThat(backend.bouncedTransfers.get() + backend.mappedTransfers.get()).isEqualTo(2);
  }

  @Test
  void flushForcesTheFile() {
    assertThat(status(Command.flush())).isZero();
    assertThat(status(Command.flush().namespace(0xffff_ffff))).isZero();

    assertThat(backend.flushes).hasValue(2);
    assertThat(guest.controller.statistics().flushes()).isEqualTo(2);
  }

  @Test
  void forceUnitAccessFlushesAfterAWriteAndBeforeARead() {
    assertThat(status(Command.write(0, 1, page).dword(12, FUA))).isZero();
    assertThat(backend.flushes).hasValue(1);

    assertThat(status(Command.read(0, 1, page).dword(12, FUA))).isZero();
    assertThat(backend.flushes).hasValue(2);

    assertThat(status(Command.onBlocks(WRITE_ZEROES, 0, 1).dword(12, FUA))).isZero();
    assertThat(backend.flushes).hasValue(3);
  }

  @Test
  void everyWriteIsFlushedWhileTheWriteCacheIsOff() {
    guest.admin(Command.setFeature(0x06, 0));
    assertThat(status(Command.write(0, 1, page))).isZero();
    assertThat(status(Command.onBlocks(WRITE_ZEROES, 0, 1))).isZero();
    assertThat(backend.flushes).hasValue(2);

    guest.admin(Command.setFeature(0x06, 1));
    assertThat(status(Command.write(0, 1, page))).isZero();
    assertThat(backend.flushes).hasValue(2);
  }

  @ParameterizedTest
  @CsvSource({"4096, 1", "4095, 2", "4090, 7", "-1, 1", "0x7fffffffffffffff, 1", "-2, 8"})
  void blocksBeyondTheNamespaceAreOutOfRange(String first, int count) {
    long block = Long.decode(first);
    for (int opcode : new int[] {0x01, 0x02, COMPARE, WRITE_ZEROES}) {
      Completion completion = guest.io(Command.onBlocks(opcode, block, count).prp(page, 0));

      assertThat(completion.status()).as("opcode %x", opcode).isEqualTo(LBA_OUT_OF_RANGE);
      assertThat(completion.doNotRetry()).isTrue();
    }
  }

  @Test
  void theLastBlockIsWithinRange() {
    assertThat(status(Command.read(4095, 1, page))).isZero();
    assertThat(guest.peek(page, 512)).isEqualTo(blocks(4095, 1));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 2, -1})
  void otherNamespacesAreRefused(int namespace) {
    for (int opcode : new int[] {0x01, 0x02, COMPARE, WRITE_ZEROES, DATASET_MANAGEMENT}) {
      assertThat(status(Command.onBlocks(opcode, 0, 1).namespace(namespace).prp(page, 0)))
          .as("opcode %x", opcode)
          .isEqualTo(INVALID_NAMESPACE);
    }
  }

  @Test
  void flushOfANamespaceThatIsNotThereIsRefused() {
    assertThat(status(Command.flush().namespace(2))).isEqualTo(INVALID_NAMESPACE);
    assertThat(status(Command.flush().namespace(0))).isEqualTo(INVALID_NAMESPACE);
  }

  @ParameterizedTest
  @ValueSource(ints = {0x03, 0x04, 0x06, 0x0c, 0x0d, 0x19, 0x7f, 0x80, 0xff})
  void unknownIoOpcodesAreRefused(int opcode) {
    Completion completion = guest.io(new Command(opcode).namespace(1));

    assertThat(completion.status()).isEqualTo(INVALID_OPCODE);
    assertThat(completion.doNotRetry()).isTrue();
  }

  @Test
  void fusedCommandsAndTheReservedDataPointerTypeAreRefused() {
    assertThat(status(Command.read(0, 1, page).flags(1))).isEqualTo(INVALID_FIELD);
    assertThat(status(Command.read(0, 1, page).flags(0b11 << 6))).isEqualTo(INVALID_FIELD);
  }

  @Test
  void transfersAreLimitedByMdts() {
    long list = guest.pages(1);
    long data = guest.pages(128);
    for (int i = 1; i < 128; i++) {
      guest.pokeLong(list + 8L * (i - 1), data + 4096L * i);
    }

    assertThat(status(Command.read(0, 1024, data).prp(data, list))).isZero();
    assertThat(guest.peek(data, 1024 * 512)).isEqualTo(blocks(0, 1024));
    assertThat(status(Command.read(0, 1025, data).prp(data, list))).isEqualTo(INVALID_FIELD);
    assertThat(status(Command.write(0, 1025, data).prp(data, list))).isEqualTo(INVALID_FIELD);
    assertThat(status(Command.onBlocks(WRITE_ZEROES, 0, 4096))).as("moves no data").isZero();
  }

  @Test
  void writeZeroesZeroesTheBlocksAndNoOthers() throws IOException {
    assertThat(status(Command.onBlocks(WRITE_ZEROES, 3, 2000))).isZero();

    Arrays.fill(content, 3 * 512, 2003 * 512, (byte) 0);
    assertThat(Files.readAllBytes(image)).isEqualTo(content);
  }

  @Test
  void compareTellsWhetherTheDataIsTheSame() {
    guest.poke(page, blocks(9, 8));
    assertThat(status(Command.onBlocks(COMPARE, 9, 8).prp(page, 0))).isZero();

    byte[] other = blocks(9, 8);
    other[4095] ^= 1;
    guest.poke(page, other);
    assertThat(status(Command.onBlocks(COMPARE, 9, 8).prp(page, 0))).isEqualTo(COMPARE_FAILURE);
  }

  @Test
  void compareOfManyBlocksLooksAtAllOfThem() {
    long data = guest.pages(128);
    guest.poke(data, blocks(0, 1024));
    assertThat(status(Command.onBlocks(COMPARE, 0, 1024).sgl(data, 1024 * 512, 0))).isZero();

    guest.poke(data + 1024 * 512 - 1, new byte[] {(byte) (content[1024 * 512 - 1] + 1)});
    assertThat(status(Command.onBlocks(COMPARE, 0, 1024).sgl(data, 1024 * 512, 0)))
        .isEqualTo(COMPARE_FAILURE);
  }

  @Test
  void deallocationIsHandedToTheBackendAndChangesNothingByItself() throws IOException {
    range(0, 10, 20);
    range(1, 4000, 96);
    assertThat(status(datasetManagement(2, 1 << 2))).isZero();

    assertThat(backend.deallocated).containsExactly(5120L, 10240L, 2048000L, 49152L);
    assertThat(Files.readAllBytes(image)).isEqualTo(content);
  }

  @Test
  void hintsOfDatasetManagementAreChecked() {
    range(0, 0, 16);
    range(1, 4096, 1);

    assertThat(status(datasetManagement(1, 0))).isZero();
    assertThat(status(datasetManagement(2, 0))).isEqualTo(LBA_OUT_OF_RANGE);
    assertThat(status(datasetManagement(2, 1 << 2))).isEqualTo(LBA_OUT_OF_RANGE);
    assertThat(backend.deallocated).as("nothing of a bad list").isEmpty();
    assertThat(status(datasetManagement(1, 1 << 2).prp(NvmeGuest.RAM, 0)))
        .isEqualTo(DATA_TRANSFER_ERROR);
  }

  private Command datasetManagement(int ranges, int attributes) {
    return new Command(DATASET_MANAGEMENT)
        .namespace(1)
        .prp(page, 0)
        .dword(10, ranges - 1)
        .dword(11, attributes);
  }

  private void range(int index, long first, int count) {
    ByteBuffer range = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    guest.poke(page + 16L * index, range.putInt(4, count).putLong(8, first).array());
  }

  @Test
  void aReadOnlyFileIsWriteProtected() throws IOException {
    guest.close();
    open(false);
    assertThat(status(Command.read(0, 1, page))).isZero();
    range(0, 0, 1);

    assertThat(status(Command.write(0, 1, page))).isEqualTo(WRITE_PROTECTED);
    assertThat(status(Command.onBlocks(WRITE_ZEROES, 0, 1))).isEqualTo(WRITE_PROTECTED);
    assertThat(status(datasetManagement(1, 1 << 2))).isEqualTo(WRITE_PROTECTED);
    assertThat(status(Command.read(0, 1, page).dword(12, FUA))).isZero();
    guest.admin(Command.identify(0, 1, page));
    assertThat(guest.peek(page + 99, 1)).as("NSATTR").containsExactly(1);
  }

  @Test
  void faultsOfTheFileAreMediaErrors() {
    backend.failReads();
    backend.failWrites();

    assertThat(status(Command.read(0, 1, page))).isEqualTo(UNRECOVERED_READ_ERROR);
    assertThat(status(Command.onBlocks(COMPARE, 0, 1).prp(page, 0)))
        .isEqualTo(UNRECOVERED_READ_ERROR);
    assertThat(status(Command.write(0, 1, page))).isEqualTo(WRITE_FAULT);
    assertThat(status(Command.onBlocks(WRITE_ZEROES, 0, 1))).isEqualTo(WRITE_FAULT);
    backend.failFlushes();
    assertThat(status(Command.flush())).isEqualTo(WRITE_FAULT);
    guest.admin(Command.logPage(2, 512, page));
    assertThat(guest.peekLong(page + 160)).as("media errors").isEqualTo(5);
    assertThat(guest.controller.statistics().errors()).isEqualTo(5);
    assertThat(guest.controller.statistics().bytesRead()).isZero();
  }

  @Test
  void aFileThatWasCutShortIsAMediaErrorAndNotZeroes() throws IOException {
    guest.poke(page, new byte[] {1, 2, 3});
    Files.write(image, new byte[512]);

    assertThat(status(Command.read(1, 1, page))).isEqualTo(UNRECOVERED_READ_ERROR);
    assertThat(guest.peek(page, 3)).containsExactly(1, 2, 3);
  }

  @Test
  void aDefectOfTheBackendCostsOneCommand() {
    backend.breakReads();

    assertThat(status(Command.read(0, 1, page))).isEqualTo(INTERNAL_ERROR);
    assertThat(status(Command.write(0, 1, page))).isZero();
  }
}
