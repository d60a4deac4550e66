package dev.sluice.vm.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.sluice.vm.replay.ReplayReport.Calls;
import dev.sluice.vm.replay.ReplayReport.Lists;
import dev.sluice.vm.replay.ReplayReport.Mismatch;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Small recordings in QEMU's words: those that come out exactly, each kind of line changed so that
/// it must not, and files that are none.
class ReplayTest {
  private static final String TABLE = "spapr_iommu_new_table liobn=0x80000000 table=0x7f fd=-1";
  private static final String PUT =
      "spapr_iommu_pci_put liobn=0x80000000 ioba=0x1000 tce=0x44000003 ret=0";
  private static final String TRANSLATED =
      "spapr_iommu_xlate liobn=0x80000000 0x1080 -> 0x44000000 perm=3 mask=0xfff";
  private static final String REFUSED =
      "spapr_iommu_xlate liobn=0x80000000 0x1080 -> 0x0 perm=0 mask=0xfff";

  /// A list of three whose last entry is 0x50002003, from 0x2000 on.
  private static final String LIST =
      "spapr_iommu_pci_indirect liobn=0x80000000 ioba=0x2000 tcelist=0x9000 iobaN=0x2"
          + " tceN=0x50002003 ret=0";

  /// Of the pages 0x1000 to 0x4fff: QEMU tells where it ended.
  private static final String STUFF =
      "spapr_iommu_pci_stuff liobn=0x80000000 ioba=0x5000 tcevalue=0x0 npages=4 ret=0";

  private static final String CREATE =
      "spapr_iommu_ddw_create buid=0x800000020000000 addr=0x0, page size=0x1000000,"
          + " requested=0x40000000, start addr=0x800000000000000, liobn=0x80000001";
  private static final String QUERY =
      "spapr_iommu_ddw_query buid=0x800000020000000 addr=0x0, 1 windows available, max window"
          + " size=0x80000000, mask=0x107";

  private static final String RESET = "spapr_iommu_ddw_reset buid=0x800000020000000 addr=0x0";

  @TempDir private Path folder;

  private Path file(String... lines) throws IOException {
    return Files.write(folder.resolve("trace"), List.of(lines));
  }

  private ReplayReport replay(String... lines) throws IOException, ReplayException {
    return Replay.spapr(file(lines));
  }

  @Test
  void aRecordingOfEveryKindOfLineComesOutExactly() throws IOException, ReplayException {
    ReplayReport report =
        replay(
            TABLE,
            PUT,
            "spapr_iommu_pci_get liobn=0x80000000 ioba=0x1000 ret=0 tce=0x44000003",
            TRANSLATED,
            TRANSLATED,
            LIST,
            "spapr_iommu_xlate liobn=0x80000000 0x3ff8 -> 0x50001000 perm=3 mask=0xfff",
            STUFF,
            REFUSED,
            QUERY,
            "spapr_iommu_new_table liobn=0x80000001 table=0x7f fd=-1",
            CREATE,
            "spapr_iommu_pci_put liobn=0x80000001 ioba=0x800000001000000 tce=0x5000001 ret=0",
            "spapr_iommu_xlate liobn=0x80000001 0x1345678 -> 0x5000000 perm=1 mask=0xffffff",
            "spapr_iommu_ddw_remove liobn=0x80000001",
            RESET);
    assertThat(report.mismatch()).isEmpty();
    assertThat(report.calls()).isEqualTo(new Calls(2, 1, 1, 1, 4));
    assertThat(report.calls().sum()).isEqualTo(9);
    assertThat(report.translations()).isEqualTo(5);
    assertThat(report.lists()).isEqualTo(new Lists(2, 1, 0));
    assertThat(report.lines()).isEqualTo(16);
    assertThat(report.ignored()).isZero();
  }

  @Test
  void theFirstAnswerThatDiffersEndsTheReplay() throws IOException, ReplayException {
    String wrong = TRANSLATED.replace("0x44000000", "0x44001000");
    ReplayReport report = replay(TABLE, PUT, wrong, TRANSLATED);
    assertThat(report.mismatch())
        .contains(
            new Mismatch(3, wrong, "0x44001000 perm=3 mask=0xfff", "0x44000000 perm=3 mask=0xfff"));
    assertThat(report.lines()).isEqualTo(3);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          -> 0x44000000          | -> 0x44001000
          perm=3                 | perm=1
          perm=3                 | perm=0
          mask=0xfff             | mask=0xffff
          0x1080                 | 0x2080
          """)
  void anyPartOfATranslationCounts(String right, String wrong) throws IOException, ReplayException {
    assertThat(replay(TABLE, PUT, TRANSLATED).mismatch()).isEmpty();
    assertThat(replay(TABLE, PUT, TRANSLATED.replace(right, wrong)).mismatch()).isPresent();
  }

  @ParameterizedTest
  @ValueSource(strings = {PUT, LIST, STUFF})
  void aReturnCodeThatDiffersIsAMismatch(String line) throws IOException, ReplayException {
    assertThat(replay(TABLE, line).mismatch()).isEmpty();
    Mismatch mismatch = replay(TABLE, line.replace("ret=0", "ret=-4")).mismatch().orElseThrow();
    assertThat(mismatch.recorded()).isEqualTo("ret=-4");
    assertThat(mismatch.cameOut()).isEqualTo("ret=0");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          1 windows       | 2 windows
          mask=0x107      | mask=0x307
          mask=0x107      | mask=0x0
          20000000        | 20000001
          """)
  void theAnswerOfAQueryCounts(String right, String wrong) throws IOException, ReplayException {
    assertThat(replay(TABLE, QUERY).mismatch()).isEmpty();
    assertThat(replay(TABLE, QUERY.replace(right, wrong)).mismatch()).isPresent();
  }

  @ParameterizedTest
  @CsvSource({"mask=0x107,mask=0x7", "mask=0x107,mask=0x3", "size=0x80000000,size=0x40000000"})
  void theFirstQueryTellsHowTheMachineWasConfiguredAndTheOthersMustAgree(String one, String other)
      throws IOException, ReplayException {
    String changed = QUERY.replace(one, other);
    assertThat(replay(TABLE, changed, changed).mismatch()).isEmpty();
    assertThat(replay(TABLE, changed, QUERY).mismatch()).map(Mismatch::line).contains(3L);
    assertThat(replay(TABLE, QUERY, changed).mismatch()).map(Mismatch::line).contains(3L);
  }

  @Test
  void aWindowOfPagesThatTheMachineDoesNotOfferIsAMismatch() throws IOException, ReplayException {
    assertThat(replay(TABLE, QUERY, CREATE).mismatch()).isEmpty();
    assertThat(replay(TABLE, QUERY.replace("0x107", "0x3"), CREATE).mismatch()).isPresent();
  }

  @Test
  void aDefaultWindowIsAsLargeAsTheCallsThatItTook() throws IOException, ReplayException {
    String above = PUT.replace("ioba=0x1000", "ioba=0x5fff0000");
    assertThat(replay(TABLE, above, TRANSLATED.replace("0x1080", "0x5fff0080")).mismatch())
        .isEmpty();
    assertThat(replay(TABLE, above.replace("ret=0", "ret=-4")).mismatch()).isEmpty();
    assertThat(replay(TABLE, above.replace("0x5fff0000", "0x100000000")).mismatch()).isPresent();
  }

  @Test
  void theAnswerOfACreationCounts() throws IOException, ReplayException {
    assertThat(replay(TABLE, CREATE).mismatch()).isEmpty();
    assertThat(replay(TABLE, CREATE.replace("0x80000001", "0x80000002")).mismatch()).isPresent();
    assertThat(replay(TABLE, CREATE.replace("0x8000000000", "0x0000000000")).mismatch())
        .isPresent();
    assertThat(replay(TABLE, CREATE.replace("0x1000000", "0x1000")).mismatch()).isEmpty();
    assertThat(replay(TABLE, CREATE.replace("0x1000000", "0x2000")).mismatch()).isPresent();
  }

  @Test
  void whatWasWrittenMustBeReadBack() throws IOException, ReplayException {
    String get = "spapr_iommu_pci_get liobn=0x80000000 ioba=0x1000 ret=0 tce=0x44000003";
    assertThat(replay(TABLE, PUT, get).mismatch()).isEmpty();
    assertThat(replay(TABLE, PUT, get.replace("003", "001")).mismatch()).isPresent();
    assertThat(replay(TABLE, PUT, get.replace("ret=0", "ret=-4")).mismatch()).isPresent();
  }

  @Test
  void aTranslationThatStaysCachedBehindAChangeWouldBeFound() throws IOException, ReplayException {
    String next = PUT.replace("0x44000003", "0x60000001");
    assertThat(
            replay(
                    TABLE,
                    PUT,
                    TRANSLATED,
                    next,
                    TRANSLATED.replace("0x44000000 perm=3", "0x60000000 perm=1"))
                .mismatch())
        .isEmpty();
    assertThat(replay(TABLE, PUT, TRANSLATED, next, TRANSLATED).mismatch()).isPresent();
  }

  @Test
  void aStuffEndsWhereItsLineSays() throws IOException, ReplayException {
    String after = PUT.replace("ioba=0x1000", "ioba=0x5000");
    String there = TRANSLATED.replace("0x1080", "0x5080");
    assertThat(replay(TABLE, PUT, after, STUFF, REFUSED, there).mismatch()).isEmpty();
  }

  @Test
  void aResetOfTheMachineEmptiesItsTables() throws IOException, ReplayException {
    assertThat(replay(TABLE, PUT, TRANSLATED, TABLE, REFUSED).mismatch()).isEmpty();
  }

  /// QEMU says nothing of the tables of VIO devices, which are made once.
  @Test
  void aResetOfTheMachineEmptiesTheTablesOfItsVioDevicesTooAndOneByTheGuestDoesNot()
      throws IOException, ReplayException {
    String device = vio(TABLE);
    String put = vio(PUT).replace("pci_", "");
    assertThat(replay(device, TABLE, put, vio(TRANSLATED), TABLE, vio(REFUSED)).mismatch())
        .isEmpty();
    assertThat(replay(device, TABLE, put, TABLE, RESET, vio(TRANSLATED)).mismatch()).isEmpty();
    String second = TABLE.replace("80000000", "80000100");
    assertThat(replay(device, TABLE, second, put, second, vio(TRANSLATED)).mismatch()).isEmpty();
  }

  private static String vio(String line) {
    return line.replace("80000000", "71000003");
  }

  // --- windows

  /// What QEMU 11.1 printed when its firmware removed and created windows.
  @Test
  void aWindowThatTakesThePlaceOfTheDefaultOneHasItsLiobn() throws IOException, ReplayException {
    String table = TABLE.replace("0x7f", "0x80");
    assertThat(
            replay(
                    TABLE,
                    PUT,
                    QUERY,
                    "spapr_iommu_ddw_remove liobn=0x80000000",
                    PUT.replace("ret=0", "ret=-4"),
                    QUERY.replace("1 windows", "2 windows"),
                    table,
                    CREATE.replace("0x800000000000000", "0x0").replace("80000001", "80000000"),
                    REFUSED.replace("mask=0xfff", "mask=0xffffff"),
                    "spapr_iommu_new_table liobn=0x80000001 table=0x81 fd=-1",
                    CREATE,
                    QUERY.replace("1 windows", "0 windows"),
                    table,
                    RESET,
                    QUERY,
                    REFUSED)
                .mismatch())
        .isEmpty();
  }

  @Test
  void aBridgeWhoseLastWindowIsRemovedHasNoneAsInQemu() throws IOException, ReplayException {
    String removal = "spapr_iommu_ddw_remove liobn=0x80000000";
    String none = QUERY.replace("1 windows", "2 windows");
    List<String> lines =
        new ArrayList<>(
            List.of(TABLE, CREATE, removal, removal.replace("80000000", "80000001"), none));
    assertThat(replay(lines.toArray(String[]::new)).mismatch()).isEmpty();
    lines.addAll(List.of(TABLE, RESET, QUERY, PUT, TRANSLATED));
    assertThat(replay(lines.toArray(String[]::new)).mismatch()).isEmpty();
  }

  // --- lists

  @Test
  void anEntryOfAListThatATranslationShowsToBeOtherwiseIsEnteredByIt()
      throws IOException, ReplayException {
    String first = "spapr_iommu_xlate liobn=0x80000000 0x2000 -> 0x77000000 perm=1 mask=0xfff";
    ReplayReport report = replay(TABLE, LIST, first, first);
    assertThat(report.mismatch()).isEmpty();
    assertThat(report.lists()).isEqualTo(new Lists(2, 0, 1));
    assertThat(replay(TABLE, LIST, first, first.replace("0x77", "0x78")).mismatch()).isPresent();
  }

  @Test
  void aTranslationThatDoesNotFitAListWhichIsARunOtherwiseIsAMismatch()
      throws IOException, ReplayException {
    String wrong = "spapr_iommu_xlate liobn=0x80000000 0x2000 -> 0x77000000 perm=3 mask=0xfff";
    String right = "spapr_iommu_xlate liobn=0x80000000 0x3000 -> 0x50001000 perm=3 mask=0xfff";
    assertThat(replay(TABLE, LIST, right, wrong).mismatch()).map(Mismatch::line).contains(4L);
    assertThat(replay(TABLE, LIST, wrong, PUT, right).mismatch()).map(Mismatch::line).contains(3L);
  }

  /// A kernel that was started after a crash reads what its predecessor had mapped.
  @Test
  void anEntryThatIsReadBackConfirmsOrCorrectsAListToo() throws IOException, ReplayException {
    String get = "spapr_iommu_pci_get liobn=0x80000000 ioba=0x2000 ret=0 tce=0x50000003";
    String other = get.replace("0x50000003", "0x77000001");
    assertThat(replay(TABLE, LIST, get).lists()).isEqualTo(new Lists(2, 1, 0));
    ReplayReport corrected = replay(TABLE, LIST, other, other);
    assertThat(corrected.mismatch()).isEmpty();
    assertThat(corrected.lists()).isEqualTo(new Lists(2, 0, 1));
    assertThat(replay(TABLE, LIST, get, other).mismatch()).map(Mismatch::line).contains(4L);
    String last = get.replace("ioba=0x2000", "ioba=0x4000");
    assertThat(replay(TABLE, LIST, last).mismatch()).isPresent();
  }

  @Test
  void theRecordedEntryOfAListIsNotOpenToCorrection() throws IOException, ReplayException {
    String last = "spapr_iommu_xlate liobn=0x80000000 0x4000 -> 0x77000000 perm=1 mask=0xfff";
    assertThat(replay(TABLE, LIST, last).mismatch()).isPresent();
  }

  @Test
  void anEntryThatWasReplacedIsNotOpenToCorrectionEither() throws IOException, ReplayException {
    String put = PUT.replace("ioba=0x1000", "ioba=0x2000");
    String first = "spapr_iommu_xlate liobn=0x80000000 0x2000 -> 0x77000000 perm=1 mask=0xfff";
    assertThat(replay(TABLE, LIST, put, first).mismatch()).isPresent();
    assertThat(replay(TABLE, LIST, STUFF, first).mismatch()).isPresent();
  }

  @Test
  void aListThatBeginsWithinAPageIsRoundedDownAsInQemu() throws IOException, ReplayException {
    String within = LIST.replace("ioba=0x2000", "ioba=0x2010");
    String first = "spapr_iommu_xlate liobn=0x80000000 0x2000 -> 0x50000000 perm=3 mask=0xfff";
    assertThat(replay(TABLE, within, first).mismatch()).isEmpty();
  }

  /// LoPAR has nothing entered by a call that is refused.
  @Test
  void whatARefusedCallHadEnteredInQemuIsEnteredByTheRecording()
      throws IOException, ReplayException {
    String list =
        LIST.replace("ioba=0x2000", "ioba=0x3fffe000")
            .replace("iobaN=0x2", "iobaN=0x1")
            .replace("ret=0", "ret=-4");
    String listed = "spapr_iommu_xlate liobn=0x80000000 0x3fffe000 -> 0x50000000 perm=3 mask=0xfff";
    ReplayReport report = replay(TABLE, list, listed, listed);
    assertThat(report.mismatch()).isEmpty();
    assertThat(report.lists()).isEqualTo(new Lists(0, 0, 0));
    assertThat(replay(TABLE, list, listed, listed.replace("perm=3", "perm=1")).mismatch())
        .map(Mismatch::line)
        .contains(4L);
    String stuff =
        "spapr_iommu_pci_stuff liobn=0x80000000 ioba=0x40000000 tcevalue=0x7003 npages=3 ret=-4";
    String stuffed = "spapr_iommu_pci_get liobn=0x80000000 ioba=0x3fffe000 ret=0 tce=0x7003";
    assertThat(replay(TABLE, stuff, stuffed).mismatch()).isEmpty();
    assertThat(replay(TABLE, stuff, stuffed.replace("0x3fffe000", "0x3fffd000")).mismatch())
        .isPresent();
  }

  @Test
  void whatWasDerivedOfAWindowThatIsGoneIsNotOpenToCorrection()
      throws IOException, ReplayException {
    String first = "spapr_iommu_xlate liobn=0x80000000 0x2000 -> 0x77000000 perm=1 mask=0xfff";
    assertThat(replay(TABLE, LIST, first).mismatch()).isEmpty();
    assertThat(replay(TABLE, LIST, RESET, first).mismatch()).isPresent();
    assertThat(replay(TABLE, LIST, TABLE, first).mismatch()).isPresent();
  }

  @Test
  void aListThatWouldBeginBelowZeroIsTakenToRepeatItsLastEntry()
      throws IOException, ReplayException {
    assertThat(replay(TABLE, LIST.replace("0x50002003", "0x1003")).mismatch()).isEmpty();
  }

  @Test
  void theQuickFormIsAskedHoweverManyPagesThereAre() throws IOException, ReplayException {
    List<String> lines = new ArrayList<>(List.of(TABLE));
    for (int i = 0; i < 600; i++) {
      long page = 0x1000_0000L + 0x1000L * i;
      lines.add(
          "spapr_iommu_pci_put liobn=0x80000000 ioba=0x%x tce=0x%x ret=0"
              .formatted(0x1000 * i, page | 3));
      lines.add(
          "spapr_iommu_xlate liobn=0x80000000 0x%x -> 0x%x perm=3 mask=0xfff"
              .formatted(0x1000 * i, page));
    }
    assertThat(replay(lines.toArray(String[]::new)).mismatch()).isEmpty();
  }

  // --- files

  @Test
  void aCompressedRecordingIsTheSame() throws IOException, ReplayException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream gzip = new GZIPOutputStream(bytes)) {
      gzip.write((TABLE + "\n" + PUT + "\n").getBytes(StandardCharsets.UTF_8));
    }
    Path file = Files.write(folder.resolve("trace.gz"), bytes.toByteArray());
    assertThat(Replay.spapr(file).calls().puts()).isEqualTo(1);

    byte[] cut = Arrays.copyOf(bytes.toByteArray(), bytes.size() - 12);
    Path broken = Files.write(folder.resolve("broken.gz"), cut);
    assertThatExceptionOfType(ReplayException.class)
        .isThrownBy(() -> Replay.spapr(broken))
        .withMessageContaining("broken gzip data");
    Path begun = Files.write(folder.resolve("begun.gz"), Arrays.copyOf(bytes.toByteArray(), 2));
    assertThatExceptionOfType(ReplayException.class)
        .isThrownBy(() -> Replay.spapr(begun))
        .withMessage(begun + " is broken gzip data: it ends too early");
  }

  @Test
  void linesOfAnotherKindAndPrefixesArePassedOver() throws IOException, ReplayException {
    ReplayReport report =
        replay(
            "qemu-system-ppc64: warning: something",
            "4711@1700000000.000001:" + TABLE + "\r",
            "",
            "4711@1700000000.000002:" + PUT + "  ",
            "spapr_iommu_pre_save liobn=0x80000000");
    assertThat(report.mismatch()).isEmpty();
    assertThat(report.ignored()).isEqualTo(3);
    assertThat(report.calls().puts()).isEqualTo(1);
  }

  @Test
  void whatIsLeftOfALineThatWasCutOffIsPassedOver() throws IOException, ReplayException {
    Path whole = Files.writeString(folder.resolve("whole"), TABLE + "\n" + PUT);
    assertThat(Replay.spapr(whole).calls().puts()).isEqualTo(1);
    Path cut = folder.resolve("cut");
    Files.writeString(cut, TABLE + "\n" + PUT + "\n" + PUT.substring(0, 60));
    ReplayReport report = Replay.spapr(cut);
    assertThat(report.mismatch()).isEmpty();
    assertThat(report.ignored()).isEqualTo(1);
    assertThat(report.calls().puts()).isEqualTo(1);
  }

  @Test
  void aRefusedCallAtTheEndOfTheAddressSpaceEnds() throws IOException, ReplayException {
    String put = "spapr_iommu_pci_put liobn=0x80000000 ioba=0xfffffffffffff000 tce=0x0 ret=-4";
    assertThat(replay(TABLE, LIST, put).mismatch()).isEmpty();
  }

  @Test
  void aRefusedCallTellsNothingOfAnEntry() throws IOException, ReplayException {
    String put = "spapr_iommu_pci_put liobn=0x80000000 ioba=0x2000 tce=0x77 ret=-4";
    String other = "spapr_iommu_xlate liobn=0x80000000 0x2008 -> 0x60000000 perm=3 mask=0xfff";
    assertThat(replay(TABLE, LIST, put, other).mismatch()).isEmpty();
  }

  @Test
  void aFileWithoutAnyTraceLineIsNoRecording() {
    for (List<String> lines : List.of(List.<String>of(), List.of("hello", "world"))) {
      assertThatExceptionOfType(ReplayException.class)
          .isThrownBy(() -> replay(lines.toArray(String[]::new)))
          .withMessageContaining("has no line of QEMU's spapr_iommu_* trace events");
    }
  }

  @Test
  void aLineThatIsNotAsQemuPrintsItIsNamed() {
    for (String bad :
        List.of(
            PUT.replace("ret=0", "ret="),
            PUT.replace("0x1000", "0x11112222333344445"),
            PUT.replace("0x1000", "-1"),
            PUT + " more",
            STUFF.replace("npages=4", "npages=99999999999999999999"),
            STUFF.replace("npages=4", "npages=9999999999999999999"),
            TRANSLATED.replace("perm=3", "perm=4"))) {
      assertThatExceptionOfType(ReplayException.class)
          .isThrownBy(() -> replay(TABLE, bad))
          .withMessage("line 2: not as QEMU prints it: " + bad);
    }
  }

  @Test
  void whatNoRecordingCanHaveIsNamed() {
    assertThatExceptionOfType(ReplayException.class)
        .isThrownBy(() -> replay(TABLE, TRANSLATED.replace("0x80000000", "0x80000100")))
        .withMessage("line 2: a translation by the LIOBN 0x80000100, which is no window's");
    assertThatExceptionOfType(ReplayException.class)
        .isThrownBy(() -> replay(TABLE, LIST.replace("iobaN=0x2", "iobaN=0x200")))
        .withMessageContaining("a list has 512 entries");
    List<String> tables = new ArrayList<>();
    for (int i = 1; i <= 257; i++) {
      tables.add("spapr_iommu_new_table liobn=0x%x table=0x0 fd=-1".formatted(i));
    }
    assertThatExceptionOfType(ReplayException.class)
        .isThrownBy(() -> replay(tables.toArray(String[]::new)))
        .withMessage("line 257: more than 256 bridges and devices");
    assertThatExceptionOfType(ReplayException.class)
        .isThrownBy(() -> replay("spapr_iommu_new_table liobn=0x80010000 table=0x0 fd=-1"))
        .withMessageStartingWith("line 1: ");
    assertThatExceptionOfType(ReplayException.class)
        .isThrownBy(() -> replay("spapr_iommu_new_table liobn=0x0 table=0x0 fd=-1"))
        .withMessageStartingWith("line 1: ");
  }

  @Test
  void aLineWithoutAnEndIsRefusedAndWhatIsNotPrintableIsNotPrinted() throws IOException {
    Path endless = Files.write(folder.resolve("endless"), new byte[1 << 20]);
    assertThatExceptionOfType(ReplayException.class)
        .isThrownBy(() -> Replay.spapr(endless))
        .withMessage("line 1 has more than 4096 bytes: this is no trace");
    assertThatExceptionOfType(ReplayException.class)
        .isThrownBy(() -> replay("\u001b[2J" + PUT + "\u00e9"))
        .withMessage("line 1: not as QEMU prints it: ?[2J" + PUT + "??");
  }

  @Test
  void aFileThatIsNotThereOrNoneIsNamed() {
    assertThatExceptionOfType(ReplayException.class)
        .isThrownBy(() -> Replay.spapr(folder.resolve("none")))
        .withMessage("there is no file " + folder.resolve("none"));
    assertThatExceptionOfType(ReplayException.class)
        .isThrownBy(() -> Replay.spapr(folder))
        .withMessage(folder + " is a directory");
  }

  @Test
  void derivedEntriesAreForgottenBeforeTheyAreTooMany() {
    DerivedEntries entries = new DerivedEntries();
    Mismatch any = new Mismatch(1, "", "", "");
    for (int i = 0; i <= DerivedEntries.MAX; i++) {
      entries.derive(new DerivedEntries.Run(), 7, (long) i << 12);
    }
    assertThat(entries.correct(7, 0, any)).isFalse();
    assertThat(entries.correct(7, 1 << 12, any)).isTrue();
    entries.replaced(7, 2 << 12, (4 << 12) - 1, 12);
    assertThat(entries.correct(7, 3 << 12, any)).isFalse();
    entries.replaced(8, 0, -1, 12);
    assertThat(entries.correct(7, 4 << 12, any)).isTrue();
    entries.replaced(7, 0, -1, 12);
    assertThat(entries.correct(7, 5 << 12, any)).isFalse();
    assertThat(entries.lists()).isEqualTo(new Lists(DerivedEntries.MAX + 1, 0, 2));
  }
}
