package dev.sluice.pci.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Identify, features, log pages, events and Abort (NVMe 1.4, chapter 5), against the offsets of
/// the specification's figures.
class AdminCommandsTest {
  private static final int INVALID_OPCODE = 0x001;
  private static final int INVALID_FIELD = 0x002;
  private static final int DATA_TRANSFER_ERROR = 0x004;
  private static final int ABORT_REQUESTED = 0x007;
  private static final int INVALID_NAMESPACE = 0x00b;
  private static final int SEQUENCE_ERROR = 0x00c;
  private static final int EVENT_LIMIT = 0x105;
  private static final int INVALID_LOG_PAGE = 0x109;
  private static final int NOT_SAVEABLE = 0x10d;
  private static final int ASYNC_EVENT_REQUEST = 0x0c;

  @TempDir Path folder;
  private Path image;
  private NvmeGuest guest;
  private long buffer;

  @BeforeEach
  void start() throws IOException {
    image = folder.resolve("disk");
    Files.write(image, new byte[(1 << 20) + 700]);
    guest = new NvmeGuest(FileBackend.open(image, true)).enable();
    buffer = guest.pages(2);
  }

  @AfterEach
  void stop() {
    guest.close();
  }

  private ByteBuffer data(int length) {
    return ByteBuffer.wrap(guest.peek(buffer, length)).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void succeeds(Command command) {
    assertThat(guest.admin(command).status()).isZero();
  }

  private void failsWith(int status, Command command) {
    Completion completion = guest.admin(command);
    assertThat(completion.status()).isEqualTo(status);
    assertThat(completion.doNotRetry()).as("do not retry").isTrue();
  }

  // --- Identify

  @Test
  void identifyControllerDescribesTheController() {
    succeeds(Command.identify(1, 0, buffer));

    ByteBuffer structure = data(4096);
    assertThat(text(structure, 4, 20)).isEqualTo("TEST                ");
    assertThat(text(structure, 24, 6)).isEqualTo("Sluice");
    assertThat(structure.get(77)).as("MDTS").isEqualTo((byte) 7);
    assertThat(structure.getInt(80)).as("VER").isEqualTo(0x10400);
    assertThat(structure.getInt(92)).as("OAES").isEqualTo(0x100);
    assertThat(structure.get(111)).as("CNTRLTYPE").isEqualTo((byte) 1);
    assertThat(structure.getShort(256)).as("OACS").isEqualTo((short) 0x100);
    assertThat(structure.get(259)).as("AERL").isEqualTo((byte) 3);
    assertThat(structure.get(261)).as("LPA").isEqualTo((byte) 0b110);
    assertThat(structure.get(262)).as("ELPE").isEqualTo((byte) 63);
    assertThat(structure.get(512)).as("SQES").isEqualTo((byte) 0x66);
    assertThat(structure.get(513)).as("CQES").isEqualTo((byte) 0x44);
    assertThat(structure.getInt(516)).as("NN").isEqualTo(1);
    assertThat(structure.getShort(520)).as("ONCS").isEqualTo((short) 0b1011101);
    assertThat(structure.get(525)).as("VWC").isEqualTo((byte) 0b111);
    assertThat(structure.getInt(536)).as("SGLS").isEqualTo(1);
    assertThat(text(structure, 768, 32)).isEqualTo("nqn.2014-08.org.nvmexpress:uuid:");
  }

  @Test
  void identifyNamespaceHasTheWholeBlocksOfTheFile() {
    succeeds(Command.identify(0, 1, buffer));

    ByteBuffer structure = data(4096);
    assertThat(structure.getLong(0)).as("NSZE").isEqualTo(2049);
    assertThat(structure.getLong(8)).as("NCAP").isEqualTo(2049);
    assertThat(structure.get(25)).as("NLBAF").isZero();
    assertThat(structure.get(99)).as("NSATTR").isZero();
    assertThat(structure.getInt(128)).as("LBAF0").isEqualTo(9 << 16);
  }

  @Test
  void activeNamespaceListHasTheNamespacesAfterTheGivenOne() {
    succeeds(Command.identify(2, 0, buffer));
    assertThat(data(8).getLong(0)).isEqualTo(1);

    succeeds(Command.identify(2, 1, buffer));
    assertThat(data(8).getLong(0)).isZero();

    failsWith(INVALID_NAMESPACE, Command.identify(2, 0xffff_fffe, buffer));
    failsWith(INVALID_NAMESPACE, Command.identify(2, 0xffff_ffff, buffer));
  }

  @Test
  void namespaceDescriptorsHoldAUuidThatTheSerialNumberDetermines() {
    succeeds(Command.identify(3, 1, buffer));

    ByteBuffer list = data(4096);
    assertThat(list.get(0)).as("NIDT").isEqualTo((byte) 3);
    assertThat(list.get(1)).as("NIDL").isEqualTo((byte) 16);
    assertThat(list.getInt(20)).as("the next descriptor").isZero();
    byte[] uuid = guest.peek(buffer + 4, 16);
    assertThat(uuid[6] >>> 4 & 0xf).as("UUID version").isEqualTo(3);
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "0, 2", "0, -1", "3, 2", "3, 0"})
  void identifyOfANamespaceThatIsNotThereIsRefused(int cns, int namespace) {
    failsWith(INVALID_NAMESPACE, Command.identify(cns, namespace, buffer));
  }

  @ParameterizedTest
  @ValueSource(ints = {0x04, 0x05, 0x06, 0x10, 0x11, 0x13, 0xff})
  void identifyOfAnUnknownStructureIsRefused(int cns) {
    failsWith(INVALID_FIELD, Command.identify(cns, 1, buffer));
  }

  @Test
  void identifyIntoMemoryThatIsNotThereIsATransferError() {
    Completion completion = guest.admin(Command.identify(1, 0, NvmeGuest.RAM));

    assertThat(completion.status()).isEqualTo(DATA_TRANSFER_ERROR);
    assertThat(completion.doNotRetry()).isFalse();
  }

  @Test
  void adminCommandsTakePrpsOnly() {
    failsWith(INVALID_FIELD, new Command(0x06).sgl(buffer, 4096, 0).dword(10, 1));
  }

  @Test
  void adminDataMayBeginWithinAPage() {
    long second = guest.pages(1);
    guest.memory.fill(second, 4096, (byte) -1);
    succeeds(new Command(0x06).prp(buffer + 2048, second).dword(10, 1));

    assertThat(guest.peek(buffer, 2048)).containsOnly(0);
    assertThat(text(data(4096), 2048 + 24, 6)).isEqualTo("Sluice");
    assertThat(guest.peek(second, 2048)).as("power states, all 0").containsOnly(0);
    assertThat(guest.peek(second + 2048, 2048)).as("beyond the structure").containsOnly(-1);
  }

  @ParameterizedTest
  @ValueSource(ints = {0x03, 0x07, 0x0d, 0x10, 0x11, 0x14, 0x18, 0x7f, 0x80, 0xc0, 0xff})
  void unknownAdminOpcodesAreRefused(int opcode) {
    failsWith(INVALID_OPCODE, new Command(opcode));
  }

  @Test
  void fusedAdminCommandsAreRefused() {
    failsWith(INVALID_FIELD, Command.identify(1, 0, buffer).flags(1));
  }

  // --- Features

  @ParameterizedTest
  @CsvSource({
    "0x01, 0x03020107", // arbitration
    "0x05, 0x00000020", // error recovery
    "0x06, 0x00000000", // volatile write cache
    "0x08, 0x00001234", // interrupt coalescing
    "0x0a, 0x00000001", // write atomicity
    "0x0b, 0x00000102" // asynchronous events
  })
  void featuresReadBackWhatWasSet(String id, String value) {
    int feature = Integer.decode(id);
    succeeds(Command.setFeature(feature, Integer.decode(value)).namespace(1));

    Completion read = guest.admin(Command.getFeature(feature).namespace(1));
    assertThat(read.status()).isZero();
    assertThat(read.result()).isEqualTo(Integer.decode(value));
  }

  @Test
  void featuresHaveTheirDefaultsAgainAfterAReset() {
    succeeds(Command.setFeature(0x06, 0));
    guest.disable();
    guest.enable();

    assertThat(guest.admin(Command.getFeature(0x06)).result()).isEqualTo(1);
  }

  @Test
  void selectTellsDefaultSavedAndCapabilities() {
    succeeds(Command.setFeature(0x06, 0));

    assertThat(guest.admin(Command.getFeature(0x06)).result()).isZero();
    assertThat(guest.admin(Command.getFeature(1 << 8 | 0x06)).result()).isEqualTo(1);
    assertThat(guest.admin(Command.getFeature(2 << 8 | 0x06)).result()).isEqualTo(1);
    assertThat(guest.admin(Command.getFeature(3 << 8 | 0x06)).result()).isEqualTo(0b100);
    assertThat(guest.admin(Command.getFeature(3 << 8 | 0x05).namespace(1)).result())
        .isEqualTo(0b110);
    failsWith(INVALID_FIELD, Command.getFeature(4 << 8 | 0x06));
  }

  @Test
  void numberOfQueuesIsCappedAtWhatTheControllerHas() {
    assertThat(guest.admin(Command.setFeature(0x07, 63 << 16 | 3)).result()).isEqualTo(7 << 16 | 3);
    assertThat(guest.admin(Command.getFeature(0x07)).result()).isEqualTo(7 << 16 | 3);
  }

  @Test
  void numberOfQueuesCannotBeAllOnesNorChangeOnceThereAreQueues() {
    failsWith(INVALID_FIELD, Command.setFeature(0x07, 0xffff));
    failsWith(INVALID_FIELD, Command.setFeature(0x07, 0xffff << 16));
    guest.createQueues(1, 8);

    failsWith(SEQUENCE_ERROR, Command.setFeature(0x07, 0));
  }

  @Test
  void interruptVectorConfigurationIsKeptForEachVector() {
    succeeds(Command.setFeature(0x09, 1 << 16 | 3));

    assertThat(guest.admin(Command.getFeature(0x09).dword(11, 3)).result()).isEqualTo(1 << 16 | 3);
    assertThat(guest.admin(Command.getFeature(0x09).dword(11, 4)).result()).isEqualTo(4);
    failsWith(INVALID_FIELD, Command.setFeature(0x09, 9));
    failsWith(INVALID_FIELD, Command.getFeature(0x09).dword(11, 9));
  }

  @Test
  void timestampCountsOnFromWhatTheGuestSaid() {
    guest.pokeLong(buffer, 1_700_000_000_000L);
    succeeds(Command.setFeature(0x0e, 0).prp(buffer, 0));
    guest.pokeLong(buffer, 0);
    succeeds(Command.getFeature(0x0e).prp(buffer, 0));

    long value = guest.peekLong(buffer);
    assertThat(value & (1L << 48) - 1).isGreaterThanOrEqualTo(1_700_000_000_000L);
    assertThat(value >>> 49 & 0b111).as("origin: set by the host").isEqualTo(1);
  }

  @Test
  void impossibleFeatureValuesAreRefused() {
    failsWith(INVALID_FIELD, Command.setFeature(0x02, 1)); // power state 1
    failsWith(INVALID_FIELD, Command.setFeature(0x05, 1 << 16).namespace(1)); // DULBE
    failsWith(INVALID_FIELD, Command.setFeature(0x04, 1 << 16 | 300)); // sensor 1
    failsWith(INVALID_FIELD, Command.setFeature(0x04, 2 << 20 | 300)); // reserved type
    failsWith(INVALID_FIELD, Command.getFeature(0x04).dword(11, 1 << 16));
    failsWith(INVALID_NAMESPACE, Command.setFeature(0x05, 1).namespace(7));
    failsWith(NOT_SAVEABLE, Command.setFeature(1 << 31 | 0x06, 0));
  }

  @ParameterizedTest
  @ValueSource(ints = {0x00, 0x03, 0x0c, 0x0d, 0x0f, 0x10, 0x12, 0x80, 0xff})
  void unknownFeaturesAreRefused(int id) {
    failsWith(INVALID_FIELD, Command.setFeature(id, 0));
    failsWith(INVALID_FIELD, Command.getFeature(id));
  }

  // --- Log pages

  @Test
  void healthLogCountsWhatWasMoved() {
    long pages = guest.pages(2);
    guest.io(Command.write(0, 8, pages));
    guest.io(Command.read(0, 8, pages));
    guest.io(Command.read(0, 8, pages));

    succeeds(Command.logPage(2, 512, buffer));
    ByteBuffer log = data(512);
    assertThat(log.get(0)).as("critical warning").isZero();
    assertThat(log.getShort(1)).as("composite temperature").isEqualTo((short) 300);
    assertThat(log.getLong(32)).as("data units read").isEqualTo(1);
    assertThat(log.getLong(48)).as("data units written").isEqualTo(1);
    assertThat(log.getLong(64)).as("host reads").isEqualTo(2);
    assertThat(log.getLong(80)).as("host writes").isEqualTo(1);
  }

  @Test
  void errorLogHasTheLatestErrorFirst() {
    guest.io(Command.read(5000, 1, buffer));
    guest.admin(new Command(0x7f));

    succeeds(Command.logPage(1, 4096, buffer));
    ByteBuffer log = data(4096);
    assertThat(log.getLong(0)).as("error count").isEqualTo(2);
    assertThat(log.getShort(8)).as("SQID").isZero();
    assertThat(log.getShort(12) >>> 1 & 0x7ff).as("status").isEqualTo(INVALID_OPCODE);
    assertThat(log.getLong(64)).isEqualTo(1);
    assertThat(log.getShort(64 + 8)).as("SQID").isEqualTo((short) 1);
    assertThat(log.getShort(64 + 12) >>> 1 & 0x7ff).as("status").isEqualTo(0x80);
    assertThat(log.getLong(64 + 16)).as("LBA").isEqualTo(5000);
    assertThat(log.getInt(64 + 24)).as("NSID").isEqualTo(1);
    assertThat(log.getLong(128)).as("no third entry").isZero();
  }

  @Test
  void errorLogKeepsTheLast64Errors() {
    for (int i = 0; i < 70; i++) {
      guest.admin(new Command(0x7f));
    }

    succeeds(Command.logPage(1, 4096, buffer));
    assertThat(data(4096).getLong(0)).isEqualTo(70);
    assertThat(data(4096).getLong(63 * 64)).isEqualTo(7);
  }

  @Test
  void firmwareLogHasOneActiveSlot() {
    succeeds(Command.logPage(3, 512, buffer));

    assertThat(data(512).get(0)).isEqualTo((byte) 1);
    assertThat(text(data(512), 8, 8)).isEqualTo("1.0     ");
  }

  @Test
  void effectsLogListsExactlyTheCommandsThatWork() {
    succeeds(new Command(0x02).prp(buffer, 0).dword(10, (2048 / 4 - 1) << 16 | 5));

    ByteBuffer log = data(2048);
    guest.createQueues(1, 8);
    for (int opcode = 0; opcode < 256; opcode++) {
      boolean supported = (log.getInt(1024 + 4 * opcode) & 1) != 0;
      int status = guest.io(new Command(opcode).namespace(1).prp(guest.pages(0) + 2, 0)).status();
      assertThat(status != INVALID_OPCODE).as("I/O opcode %x", opcode).isEqualTo(supported);
    }
    assertThat(log.getInt(1024 + 4)).as("Write changes content").isEqualTo(0b11);
    assertThat(log.getInt(1024 + 8)).as("Read does not").isEqualTo(0b01);
  }

  @Test
  void logPagesAreReadFromAnOffset() {
    succeeds(Command.logPage(2, 512, buffer));
    byte[] whole = guest.peek(buffer, 512);

    succeeds(Command.logPage(2, 8, buffer).dword(12, 0));
    succeeds(Command.logPage(2, 16, buffer + 1024).dword(12, 100));

    assertThat(guest.peek(buffer + 1024, 16)).isEqualTo(Arrays.copyOfRange(whole, 100, 116));
    failsWith(INVALID_FIELD, Command.logPage(2, 16, buffer).dword(12, 2));
    failsWith(INVALID_FIELD, Command.logPage(2, 16, buffer).dword(12, 516));
    failsWith(INVALID_FIELD, Command.logPage(2, 16, buffer).dword(13, -1));
  }

  @Test
  void whatIsBeyondTheEndOfALogPageReadsAsZero() {
    guest.poke(buffer, new byte[] {1, 1, 1, 1, 1, 1, 1, 1});
    succeeds(Command.logPage(2, 8, buffer).dword(12, 508));

    assertThat(guest.peekLong(buffer)).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {0x00, 0x06, 0x0c, 0x70, 0x80, 0xff})
  void unknownLogPagesAreRefused(int id) {
    failsWith(INVALID_LOG_PAGE, Command.logPage(id, 512, buffer));
  }

  @Test
  void logPagesLargerThanATransferMayBeAreRefused() {
    failsWith(INVALID_FIELD, Command.logPage(2, 512, buffer).dword(11, 0x10));
    failsWith(INVALID_FIELD, Command.logPage(2, 512, buffer).dword(11, 0xffff));
  }

  @Test
  void healthLogOfOneNamespaceIsRefused() {
    failsWith(INVALID_FIELD, Command.logPage(2, 512, buffer).namespace(1));
  }

  // --- Events and Abort

  @Test
  void anEventCompletesAHeldRequestOnceAndAgainAfterItsLogWasRead() {
    NvmeGuest.Queue admin = guest.admin();
    admin.put(new Command(ASYNC_EVENT_REQUEST).id(0x7001));
    admin.put(new Command(ASYNC_EVENT_REQUEST).id(0x7002));
    admin.ringTail();
    guest.registers.write(0x1000 + 8 * 5, 4, 1);

    Completion event = admin.next();
    admin.ringHead();
    assertThat(event.commandId()).isEqualTo(0x7001);
    assertThat(event.result()).as("error, invalid doorbell register").isEqualTo(1 << 16);

    guest.registers.write(0x1000 + 8 * 6, 4, 1);
    succeeds(Command.getFeature(0x06));
    succeeds(Command.logPage(1 << 15 | 1, 64, buffer));
    succeeds(Command.getFeature(0x06));
    Completion last = guest.admin(Command.logPage(1, 64, buffer));
    assertThat(last.status()).isZero();

    assertThat(admin.next().commandId()).isEqualTo(0x7002);
  }

  @Test
  void impossibleDoorbellValuesAreReported() {
    guest.createQueues(1, 8);
    NvmeGuest.Queue admin = guest.admin();
    for (int[] bad : new int[][] {{0, 8}, {0, 0xffff}, {0, 0}, {1, 8}, {1, 3}, {1, 0}}) {
      admin.put(new Command(ASYNC_EVENT_REQUEST).id(0x7001));
      admin.ringTail();
      guest.registers.write(0x1008 + 4 * bad[0], 4, bad[1]);

      assertThat(admin.next().result()).as("invalid value").isEqualTo(1 << 16 | 1 << 8);
      admin.ringHead();
      succeeds(Command.logPage(1, 64, buffer));
      assertThat(data(16).getShort(8)).as("SQID").isEqualTo((short) 1);
    }
  }

  @Test
  void noMoreThanFourRequestsAreHeld() {
    NvmeGuest.Queue admin = guest.admin();
    for (int i = 0; i < 4; i++) {
      admin.put(new Command(ASYNC_EVENT_REQUEST).id(0x7000 + i));
    }
    admin.ringTail();

    for (int i = 0; i < 100; i++) {
      failsWith(EVENT_LIMIT, new Command(ASYNC_EVENT_REQUEST));
    }
  }

  @Test
  void heldRequestsDoNotOccupyTheCompletionQueue() {
    NvmeGuest.Queue admin = guest.admin();
    // More often than the queue has entries.
    for (int i = 0; i < 40; i++) {
      admin.put(new Command(ASYNC_EVENT_REQUEST).id(0x7001));
      admin.put(new Command(0x08).id(0x6001).dword(10, 0x7001 << 16));
      admin.ringTail();
      admin.next();
      admin.next();
      admin.ringHead();
    }

    succeeds(Command.getFeature(0x06));
  }

  @Test
  void aTemperatureBeyondAThresholdIsAnEventForWhoAskedForIt() {
    NvmeGuest.Queue admin = guest.admin();
    admin.put(new Command(ASYNC_EVENT_REQUEST).id(0x7001));
    admin.ringTail();
    succeeds(Command.setFeature(0x0b, 1 << 1));
    succeeds(Command.setFeature(0x04, 320));
    assertThat(admin.poll()).isNull();

    admin.put(Command.setFeature(0x04, 299).id(0x6001));
    admin.ringTail();
    assertThat(admin.next().commandId()).isEqualTo(0x6001);
    Completion event = admin.next();
    admin.ringHead();
    assertThat(event.commandId()).isEqualTo(0x7001);
    assertThat(event.result()).as("health, temperature").isEqualTo(2 << 16 | 1 << 8 | 1);
    succeeds(Command.logPage(2, 512, buffer));
    assertThat(data(512).get(0)).as("critical warning").isEqualTo((byte) 0b10);
  }

  @Test
  void theUnderTemperatureThresholdIsAnother() {
    succeeds(Command.setFeature(0x04, 1 << 20 | 310));

    succeeds(Command.logPage(2, 512, buffer));
    assertThat(data(512).get(0)).as("critical warning").isEqualTo((byte) 0b10);
    assertThat(guest.admin(Command.getFeature(0x04).dword(11, 1 << 20)).result()).isEqualTo(310);
    assertThat(guest.admin(Command.getFeature(0x04)).result()).isEqualTo(343);
  }

  @Test
  void aNamespaceThatGrewIsAnnouncedAndListed() throws IOException {
    NvmeGuest.Queue admin = guest.admin();
    admin.put(new Command(ASYNC_EVENT_REQUEST).id(0x7001));
    admin.ringTail();
    succeeds(Command.setFeature(0x0b, 1 << 8));
    guest.controller.refreshSize();
    Files.write(image, new byte[2 << 20]);
    guest.controller.refreshSize();

    Completion event = admin.next();
    admin.ringHead();
    assertThat(event.result()).as("notice, namespace attributes").isEqualTo(4 << 16 | 2);
    succeeds(Command.logPage(4, 4096, buffer));
    assertThat(data(8).getLong(0)).isEqualTo(1);
    succeeds(Command.logPage(4, 4096, buffer));
    assertThat(data(8).getLong(0)).as("read once").isZero();
    succeeds(Command.identify(0, 1, buffer));
    assertThat(data(8).getLong(0)).isEqualTo(4096);
  }

  @Test
  void abortEndsAHeldEventRequest() {
    NvmeGuest.Queue admin = guest.admin();
    admin.put(new Command(ASYNC_EVENT_REQUEST).id(0x7001));
    admin.put(new Command(0x08).id(0x6001).dword(10, 0x7001 << 16));
    admin.ringTail();

    Completion first = admin.next();
    Completion second = admin.next();
    Completion request = first.commandId() == 0x7001 ? first : second;
    Completion abort = first.commandId() == 0x7001 ? second : first;
    assertThat(request.commandId()).isEqualTo(0x7001);
    assertThat(request.status()).isEqualTo(ABORT_REQUESTED);
    assertThat(abort.result()).as("aborted").isZero();
  }

  @Test
  void abortSaysThatACommandWasNotAborted() {
    assertThat(guest.admin(new Command(0x08).dword(10, 0x1234 << 16)).result()).isEqualTo(1);
    failsWith(INVALID_FIELD, new Command(0x08).dword(10, 3));
  }

  private static String text(ByteBuffer bytes, int offset, int length) {
    byte[] text = new byte[length];
    bytes.get(offset, text);
    return new String(text, StandardCharsets.US_ASCII);
  }
}
