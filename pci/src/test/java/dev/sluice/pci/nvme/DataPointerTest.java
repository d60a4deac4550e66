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
import org.junit.jupiter.params.provider.ValueSource;

/// Where commands have their data: PRPs (NVMe 1.4, 4.3) and SGLs (4.4), good and bad.
class DataPointerTest {
  private static final int INVALID_FIELD = 0x002;
  private static final int DATA_TRANSFER_ERROR = 0x004;
  private static final int INVALID_SEGMENT = 0x00d;
  private static final int INVALID_NUMBER = 0x00e;
  private static final int LENGTH_INVALID = 0x00f;
  private static final int TYPE_INVALID = 0x011;
  private static final int PRP_OFFSET_INVALID = 0x013;

  private static final int DATA_BLOCK = 0x00;
  private static final int SEGMENT = 0x20;
  private static final int LAST_SEGMENT = 0x30;

  @TempDir Path folder;
  private byte[] content;
  private NvmeGuest guest;
  private long data;
  private long list;

  @BeforeEach
  void start() throws IOException {
    content = new byte[2048 * 512];
    new SplittableRandom(7).nextBytes(content);
    Path image = folder.resolve("disk");
    Files.write(image, content);
    guest = new NvmeGuest(FileBackend.open(image, true)).enable();
    data = guest.pages(130);
    list = guest.pages(4);
  }

  @AfterEach
  void stop() {
    guest.close();
  }

  private int status(Command command) {
    return guest.io(command).status();
  }

  private byte[] blocks(int count) {
    return Arrays.copyOf(content, count * 512);
  }

  // --- PRPs

  @Test
  void onePrpReachesToTheEndOfItsPage() {
    assertThat(status(Command.read(0, 2, data + 3072))).isZero();

    assertThat(guest.peek(data + 3072, 1024)).isEqualTo(blocks(2));
    assertThat(guest.peek(data, 3072)).containsOnly(0);
  }

  @Test
  void theSecondPrpIsAPageWhenThatSuffices() {
    long second = data + 10 * 4096;
    assertThat(status(Command.read(0, 8, 0).prp(data + 2048, second))).isZero();

    assertThat(guest.peek(data + 2048, 2048)).isEqualTo(Arrays.copyOf(content, 2048));
    assertThat(guest.peek(second, 2048)).isEqualTo(Arrays.copyOfRange(content, 2048, 4096));
    assertThat(guest.peek(data + 4096, 4096)).containsOnly(0);
  }

  @Test
  void theSecondPrpIsNotLookedAtWhenTheFirstSuffices() {
    assertThat(status(Command.read(0, 8, 0).prp(data, 0xffff_ffff_ffff_ffffL))).isZero();
  }

  @Test
  void theSecondPrpIsAListForMoreThanTwoPages() {
    for (int i = 0; i < 3; i++) {
      guest.pokeLong(list + 8L * i, data + 4096L * (6 - 2 * i));
    }
    assertThat(status(Command.read(0, 26, 0).prp(data + 3072, list))).isZero();

    assertThat(guest.peek(data + 3072, 1024)).isEqualTo(Arrays.copyOf(content, 1024));
    assertThat(guest.peek(data + 4096 * 6, 4096))
        .isEqualTo(Arrays.copyOfRange(content, 1024, 5120));
    assertThat(guest.peek(data + 4096 * 4, 4096))
        .isEqualTo(Arrays.copyOfRange(content, 5120, 9216));
    assertThat(guest.peek(data + 4096 * 2, 4096))
        .isEqualTo(Arrays.copyOfRange(content, 9216, 13312));
  }

  @Test
  void aListThatStartsLateInItsPageGoesOnInAnother() {
    // Two slots are left: one page, and the way to the rest of the list.
    guest.pokeLong(list + 4080, data + 4096);
    guest.pokeLong(list + 4088, list + 8192);
    for (int i = 2; i < 20; i++) {
      guest.pokeLong(list + 8192 + 8L * (i - 2), data + 4096L * i);
    }
    assertThat(status(Command.read(0, 160, 0).prp(data, list + 4080))).isZero();

    assertThat(guest.peek(data, 160 * 512)).isEqualTo(blocks(160));
  }

  @Test
  void aListWhoseLastSlotSufficesDoesNotGoOn() {
    guest.pokeLong(list + 4080, data + 4096);
    guest.pokeLong(list + 4088, data + 8192);

    assertThat(status(Command.read(0, 24, 0).prp(data, list + 4080))).isZero();
    assertThat(guest.peek(data, 24 * 512)).isEqualTo(blocks(24));
  }

  @Test
  void aListThatLeadsToItselfEnds() {
    guest.pokeLong(list + 4088, list);
    for (int i = 0; i < 511; i++) {
      guest.pokeLong(list + 8L * i, data);
    }

    assertThat(status(Command.read(0, 1024, 0).prp(data, list + 4088))).isZero();
  }

  @Test
  void aChainWithAnOffsetIsRefused() {
    guest.pokeLong(list + 4088, list + 4088);

    assertThat(status(Command.read(0, 1024, 0).prp(data, list + 4088)))
        .isEqualTo(PRP_OFFSET_INVALID);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 511, 4095})
  void theFirstPrpMustBeAlignedToDwords(long offset) {
    assertThat(status(Command.read(0, 1, data + offset))).isEqualTo(PRP_OFFSET_INVALID);
  }

  @Test
  void otherPrpsMustNotHaveAnOffset() {
    assertThat(status(Command.read(0, 16, 0).prp(data, data + 4096 + 8)))
        .isEqualTo(PRP_OFFSET_INVALID);
    guest.pokeLong(list, data + 4096);
    guest.pokeLong(list + 8, data + 8192 + 4);
    assertThat(status(Command.read(0, 24, 0).prp(data, list))).isEqualTo(PRP_OFFSET_INVALID);
    assertThat(status(Command.read(0, 24, 0).prp(data, list + 4))).isEqualTo(PRP_OFFSET_INVALID);
    assertThat(guest.peek(data, 4096)).as("nothing is moved by a bad list").containsOnly(0);
  }

  @Test
  void prpsWithoutMemoryAreTransferErrors() {
    long hole = NvmeGuest.RAM;
    assertThat(status(Command.read(0, 1, hole))).isEqualTo(DATA_TRANSFER_ERROR);
    assertThat(status(Command.write(0, 1, hole))).isEqualTo(DATA_TRANSFER_ERROR);
    assertThat(status(Command.onBlocks(0x05, 0, 1).prp(hole, 0))).isEqualTo(DATA_TRANSFER_ERROR);
    assertThat(status(Command.read(0, 16, 0).prp(data, hole))).isEqualTo(DATA_TRANSFER_ERROR);
    assertThat(status(Command.read(0, 24, 0).prp(data, hole))).isEqualTo(DATA_TRANSFER_ERROR);
    assertThat(status(Command.read(0, 8, 0xffff_ffff_ffff_f000L))).isEqualTo(DATA_TRANSFER_ERROR);
    assertThat(guest.controller.statistics().bytesRead()).isZero();
  }

  @Test
  void pagesAreAsLargeAsTheGuestConfigured() {
    guest.disable();
    guest.programAdminQueue();
    long aligned = guest.pages(32) + 0xffff & ~0xffffL;
    guest.registers.write(0x28, 8, aligned);
    guest.registers.write(0x30, 8, aligned + 0x10000);
    guest.configure(NvmeGuest.ENABLE | 4 << 7);
    guest.awaitStatus(0b11, 1);
    long big = guest.pages(48) + 0xffff & ~0xffffL;
    long command = aligned;
    guest.poke(command, Command.identify(1, 0, big + 0x8004).id(1).bytes());
    guest.registers.write(0x1000, 4, 1);
    guest.interrupts.await(() -> guest.peekLong(aligned + 0x10008) != 0);

    assertThat(guest.peekLong(aligned + 0x10008) >>> 49).as("status").isZero();
    assertThat(guest.peek(big + 0x8004 + 512, 2)).as("SQES, CQES").containsExactly(0x66, 0x44);
  }

  // --- SGLs

  private void descriptor(long at, long address, long length, int type) {
    ByteBuffer bytes = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(0, address).putInt(8, (int) length).put(15, (byte) type);
    guest.poke(at, bytes.array());
  }

  private Command sgl(int blocks, long address, long length, int type) {
    return Command.read(0, blocks, 0).sgl(address, length, type);
  }

  @Test
  void oneDataBlockIsTheWholeTransfer() {
    assertThat(status(sgl(32, data + 5, 32 * 512, DATA_BLOCK))).isZero();

    assertThat(guest.peek(data + 5, 32 * 512)).isEqualTo(blocks(32));
  }

  @Test
  void aLastSegmentHasDataBlocksOfAnyLength() {
    descriptor(list, data, 100, DATA_BLOCK);
    descriptor(list + 16, data + 8192, 0, DATA_BLOCK);
    descriptor(list + 32, data + 4099, 924, DATA_BLOCK);

    assertThat(status(sgl(2, list, 48, LAST_SEGMENT))).isZero();
    assertThat(guest.peek(data, 100)).isEqualTo(Arrays.copyOf(content, 100));
    assertThat(guest.peek(data + 4099, 924)).isEqualTo(Arrays.copyOfRange(content, 100, 1024));
  }

  @Test
  void segmentsFollowOneAnother() {
    descriptor(list, data, 512, DATA_BLOCK);
    descriptor(list + 16, list + 4096, 32, SEGMENT);
    descriptor(list + 4096, data + 512, 512, DATA_BLOCK);
    descriptor(list + 4112, list + 8192, 16, LAST_SEGMENT);
    descriptor(list + 8192, data + 1024, 1024, DATA_BLOCK);

    assertThat(status(sgl(4, list, 32, SEGMENT))).isZero();
    assertThat(guest.peek(data, 2048)).isEqualTo(blocks(4));
  }

  @Test
  void manyDescriptorsAreReadInBatches() {
    for (int i = 0; i < 256; i++) {
      descriptor(list + 16L * i, data + 4L * i, 4, DATA_BLOCK);
    }
    descriptor(list + 16L * 256, data + 1024, 512, DATA_BLOCK);

    assertThat(status(sgl(3, list, 16 * 257, LAST_SEGMENT))).isZero();
    assertThat(guest.peek(data, 1536)).isEqualTo(blocks(3));
  }

  @Test
  void writesTakeSglsToo() {
    guest.poke(data + 3, blocks(4));
    assertThat(status(Command.write(8, 4, 0).sgl(data + 3, 2048, DATA_BLOCK))).isZero();
    assertThat(status(Command.read(8, 4, data + 8192))).isZero();

    assertThat(guest.peek(data + 8192, 2048)).isEqualTo(blocks(4));
  }

  @Test
  void aListShorterOrLongerThanTheTransferIsRefused() {
    assertThat(status(sgl(2, data, 1023, DATA_BLOCK))).isEqualTo(LENGTH_INVALID);
    assertThat(status(sgl(2, data, 1025, DATA_BLOCK))).isEqualTo(LENGTH_INVALID);
    assertThat(status(sgl(2, data, 0, DATA_BLOCK))).isEqualTo(LENGTH_INVALID);
    descriptor(list, data, 512, DATA_BLOCK);
    assertThat(status(sgl(2, list, 16, LAST_SEGMENT))).isEqualTo(LENGTH_INVALID);
    assertThat(guest.peek(data, 512)).as("nothing is moved by a bad list").containsOnly(0);
  }

  @ParameterizedTest
  @ValueSource(ints = {0x10, 0x40, 0x50, 0xf0, 0x01, 0x0f, 0x21, 0x31})
  void otherTypesOfDescriptorsAreRefused(int type) {
    assertThat(status(sgl(2, data, 1024, type))).isEqualTo(TYPE_INVALID);
    descriptor(list, data, 1024, type);
    assertThat(status(sgl(2, list, 16, LAST_SEGMENT))).isEqualTo(TYPE_INVALID);
    assertThat(status(sgl(2, list, 16, SEGMENT))).isEqualTo(TYPE_INVALID);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 8, 15, 17})
  void segmentsHaveWholeDescriptors(long length) {
    assertThat(status(sgl(2, list, length, SEGMENT))).isEqualTo(INVALID_SEGMENT);
    assertThat(status(sgl(2, list, length, LAST_SEGMENT))).isEqualTo(INVALID_SEGMENT);
  }

  @Test
  void segmentsAreAlignedToQwords() {
    assertThat(status(sgl(2, list + 4, 16, LAST_SEGMENT))).isEqualTo(INVALID_SEGMENT);
  }

  @Test
  void onlyTheLastDescriptorOfASegmentThatIsNotTheLastLeadsOn() {
    descriptor(list, data, 1024, DATA_BLOCK);
    assertThat(status(sgl(2, list, 16, SEGMENT))).as("leads nowhere").isEqualTo(INVALID_SEGMENT);

    descriptor(list, list + 64, 16, LAST_SEGMENT);
    descriptor(list + 16, data, 1024, DATA_BLOCK);
    assertThat(status(sgl(2, list, 32, LAST_SEGMENT))).isEqualTo(INVALID_SEGMENT);
    descriptor(list + 16, list + 64, 16, LAST_SEGMENT);
    assertThat(status(sgl(2, list, 32, SEGMENT))).isEqualTo(INVALID_SEGMENT);
  }

  @Test
  void segmentsThatLeadToThemselvesEnd() {
    descriptor(list, list, 16, SEGMENT);

    assertThat(status(sgl(2, list, 16, SEGMENT))).isEqualTo(INVALID_NUMBER);
  }

  @Test
  void hugeSegmentsAreRefusedUnread() {
    assertThat(status(sgl(2, list, 0xffff_fff0L, LAST_SEGMENT))).isEqualTo(INVALID_NUMBER);
  }

  @Test
  void sglsWithoutMemoryAreTransferErrors() {
    assertThat(status(sgl(2, NvmeGuest.RAM, 1024, DATA_BLOCK))).isEqualTo(DATA_TRANSFER_ERROR);
    assertThat(status(sgl(2, NvmeGuest.RAM, 16, LAST_SEGMENT))).isEqualTo(DATA_TRANSFER_ERROR);
    assertThat(status(sgl(2, NvmeGuest.RAM, 16, SEGMENT))).isEqualTo(DATA_TRANSFER_ERROR);
  }

  @Test
  void sglsAreLimitedByMdtsAsPrpsAre() {
    assertThat(status(sgl(1024, data, 1024 * 512, DATA_BLOCK))).isZero();
    assertThat(status(sgl(1025, data, 1025 * 512, DATA_BLOCK))).isEqualTo(INVALID_FIELD);
  }
}
