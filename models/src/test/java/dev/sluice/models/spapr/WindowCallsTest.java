package dev.sluice.models.spapr;

import static dev.sluice.models.spapr.RtasFunction.CREATE_PE_DMA_WINDOW;
import static dev.sluice.models.spapr.RtasFunction.QUERY_PE_DMA_WINDOW;
import static dev.sluice.models.spapr.RtasFunction.REMOVE_PE_DMA_WINDOW;
import static dev.sluice.models.spapr.RtasFunction.RESET_PE_DMA_WINDOWS;
import static dev.sluice.models.spapr.SpaprMachine.DYNAMIC_BASE;
import static dev.sluice.models.spapr.SpaprMachine.DYNAMIC_LIOBN;
import static dev.sluice.models.spapr.SpaprMachine.H_PUT_TCE;
import static dev.sluice.models.spapr.SpaprMachine.LIOBN;
import static dev.sluice.models.spapr.SpaprMachine.MEMORY_BYTES;
import static dev.sluice.models.spapr.SpaprMachine.PARAMETER;
import static dev.sluice.models.spapr.SpaprMachine.SUCCESS;
import static dev.sluice.models.spapr.SpaprMachine.UNIT_HIGH;
import static dev.sluice.models.spapr.SpaprMachine.UNIT_LOW;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.Mapping;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.Word;
import dev.sluice.models.spapr.PartitionableEndpoint.Window;
import java.nio.ByteOrder;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// The RTAS calls on DMA windows, by their cells and by their argument buffer.
class WindowCallsTest {
  private static final long H_RTAS = 0xF000;
  private static final int PARAMETER_ERROR = -3;
  private static final long BUFFER = 0x8000;
  private static final long PAGE = 0x40_0000;
  private static final Window DEFAULT = new Window(LIOBN, 0, 1L << 30, 12, true);

  private SpaprMachine machine = new SpaprMachine();

  @AfterEach
  void giveMemoryBack() {
    machine.close();
  }

  private void machineWith(SpaprConfig config) {
    machine.close();
    machine = new SpaprMachine(config);
  }

  private int[] query(int outputs) {
    return machine.rtas(QUERY_PE_DMA_WINDOW, outputs, 0, UNIT_HIGH, UNIT_LOW);
  }

  private int[] create(int pageShift, int windowShift) {
    return machine.rtas(CREATE_PE_DMA_WINDOW, 4, 0, UNIT_HIGH, UNIT_LOW, pageShift, windowShift);
  }

  private int remove(long liobn) {
    return machine.rtas(REMOVE_PE_DMA_WINDOW, 1, (int) liobn)[0];
  }

  // --- query

  @Test
  void theQueryTellsWhatCanBeCreated() {
    // 4 KiB, 64 KiB, 16 MiB and 2 MiB.
    assertThat(query(5)).containsExactly(0, 1, 0x8000_0000, 0x107, 0);
    assertThat(query(6)).containsExactly(0, 1, 0, 0x8000_0000, 0x107, 0);
    create(16, 24);
    assertThat(query(5)[1]).isZero();
    remove(LIOBN);
    assertThat(query(5)[1]).isEqualTo(1);
  }

  @Test
  void theLargestWindowNeedsTwoCellsWhenItIsLarge() {
    machineWith(
        SpaprConfig.DEFAULT
            .withLargestWindow(1L << 33)
            .withIoPageShifts(Set.of(25, 26, 27, 28, 34)));
    assertThat(query(6)).containsExactly(0, 1, 2, 0, 0xF8, 0);
    assertThat(query(5)).containsExactly(0, 1, -1, 0xF8, 0);
  }

  @Test
  void thePageSizesOfAnAnswerMakeAMachineThatGivesIt() {
    for (int mask : new int[] {0x1, 0x3, 0x7, 0x107, 0x1FF}) {
      machineWith(SpaprConfig.DEFAULT.withIoPageSizes(mask));
      assertThat(query(5)[3]).isEqualTo(mask);
    }
    assertThat(SpaprConfig.DEFAULT.withIoPageSizes(0xFFFF_FE00).ioPageShifts()).isEmpty();
  }

  @Test
  void theConfigurationAddressMayBeThatOfAnyFunctionBelowTheBridge() {
    assertThat(machine.rtas(QUERY_PE_DMA_WINDOW, 5, 0x1_2800, UNIT_HIGH, UNIT_LOW)[0]).isZero();
  }

  @Test
  void anotherBridgeOrAnotherNumberOfCellsIsAParameterError() {
    assertThat(machine.rtas(QUERY_PE_DMA_WINDOW, 5, 0, UNIT_HIGH, UNIT_LOW + 1)[0])
        .isEqualTo(PARAMETER_ERROR);
    assertThat(machine.rtas(QUERY_PE_DMA_WINDOW, 5, 0, 0, UNIT_LOW)[0]).isEqualTo(PARAMETER_ERROR);
    assertThat(query(4)[0]).isEqualTo(PARAMETER_ERROR);
    assertThat(query(7)[0]).isEqualTo(PARAMETER_ERROR);
    assertThat(machine.rtas(QUERY_PE_DMA_WINDOW, 5, 0, UNIT_HIGH)[0]).isEqualTo(PARAMETER_ERROR);
    assertThat(machine.rtas(CREATE_PE_DMA_WINDOW, 4, 0, UNIT_HIGH, UNIT_LOW, 16)[0])
        .isEqualTo(PARAMETER_ERROR);
    assertThat(machine.rtas(CREATE_PE_DMA_WINDOW, 3, 0, UNIT_HIGH, UNIT_LOW, 16, 24)[0])
        .isEqualTo(PARAMETER_ERROR);
    assertThat(machine.rtas(REMOVE_PE_DMA_WINDOW, 2, (int) LIOBN)[0]).isEqualTo(PARAMETER_ERROR);
    assertThat(machine.rtas(RESET_PE_DMA_WINDOWS, 1, 0, UNIT_HIGH)[0]).isEqualTo(PARAMETER_ERROR);
    assertThat(machine.rtas(REMOVE_PE_DMA_WINDOW, 0, (int) LIOBN)).isEmpty();
    assertThat(machine.bridge.windows()).containsExactly(DEFAULT);
  }

  @Test
  void withoutDynamicWindowsEveryCallIsAParameterError() {
    machineWith(SpaprConfig.DEFAULT.withIoPageShifts(Set.of()));
    assertThat(query(5)[0]).isEqualTo(PARAMETER_ERROR);
    assertThat(create(12, 30)[0]).isEqualTo(PARAMETER_ERROR);
    assertThat(remove(LIOBN)).isEqualTo(PARAMETER_ERROR);
    assertThat(machine.rtas(RESET_PE_DMA_WINDOWS, 1, 0, UNIT_HIGH, UNIT_LOW)[0])
        .isEqualTo(PARAMETER_ERROR);
  }

  // --- create

  @Test
  void aWindowIsCreatedEmptyBesideTheDefaultOne() {
    assertThat(create(24, 30)).containsExactly(0, 0x8000_0001, 0x0800_0000, 0);
    assertThat(machine.bridge.windows())
        .containsExactly(DEFAULT, new Window(DYNAMIC_LIOBN, DYNAMIC_BASE, 1L << 30, 24, false));
    assertThat(machine.get(DYNAMIC_LIOBN, DYNAMIC_BASE)).isZero();
  }

  @Test
  void aWindowThatCannotBeIsAParameterErrorAndThereIsNone() {
    for (int[] shifts :
        new int[][] {
          {11, 30},
          {13, 30},
          {0, 30},
          {-1, 30},
          {44, 50},
          {24, 23},
          {12, 44},
          {24, 60},
          {16, 64},
          {16, -1},
          {16, Integer.MIN_VALUE},
          {34, 40}
        }) {
      assertThat(create(shifts[0], shifts[1])[0]).isEqualTo(PARAMETER_ERROR);
    }
    assertThat(machine.bridge.windows()).containsExactly(DEFAULT);
    assertThat(create(12, 43)[0]).isZero();
    assertThat(create(12, 20)[0]).isEqualTo(PARAMETER_ERROR);
  }

  @Test
  void withoutTheDefaultWindowTheFirstOneBeginsAtZeroAndTheSecondAbove() {
    assertThat(remove(LIOBN)).isZero();
    assertThat(create(16, 32)).containsExactly(0, (int) LIOBN, 0, 0);
    assertThat(create(16, 32)).containsExactly(0, (int) DYNAMIC_LIOBN, 0x0800_0000, 0);
    assertThat(remove(LIOBN)).isZero();
    assertThat(create(16, 32)).containsExactly(0, (int) LIOBN, 0, 0);
  }

  // --- remove, reset

  @Test
  void aRemovedWindowIsGoneForHypercallsAndDevices() {
    create(16, 24);
    machine.call(H_PUT_TCE, DYNAMIC_LIOBN, DYNAMIC_BASE, PAGE | 3);
    assertThat(machine.write(DYNAMIC_BASE)).isNull();
    assertThat(remove(DYNAMIC_LIOBN)).isZero();
    assertThat(machine.write(DYNAMIC_BASE)).isNotNull();
    assertThat(machine.call(H_PUT_TCE, DYNAMIC_LIOBN, DYNAMIC_BASE, 0)).isEqualTo(PARAMETER);
    assertThat(remove(DYNAMIC_LIOBN)).isEqualTo(PARAMETER_ERROR);
    assertThat(machine.iommu.statistics().tablePages()).isZero();
    create(16, 24);
    assertThat(machine.get(DYNAMIC_LIOBN, DYNAMIC_BASE)).isZero();
  }

  @Test
  void theDefaultWindowMayBeRemovedAndComesBackWithTheLastOther() {
    assertThat(remove(LIOBN)).isZero();
    assertThat(machine.bridge.windows()).isEmpty();
    assertThat(machine.write(0)).isNotNull();
    create(16, 24);
    assertThat(machine.bridge.windows()).containsExactly(new Window(LIOBN, 0, 1 << 24, 16, false));
    assertThat(remove(LIOBN)).isZero();
    assertThat(machine.bridge.windows()).containsExactly(DEFAULT);
    assertThat(machine.put(0, PAGE | 3)).isEqualTo(SUCCESS);
  }

  @Test
  void aResetLeavesTheDefaultWindowEmpty() {
    machine.put(0, PAGE | 3);
    create(16, 24);
    assertThat(machine.rtas(RESET_PE_DMA_WINDOWS, 1, 0, UNIT_HIGH, UNIT_LOW)).containsExactly(0);
    assertThat(machine.bridge.windows()).containsExactly(DEFAULT);
    assertThat(machine.get(LIOBN, 0)).isZero();
    remove(LIOBN);
    assertThat(machine.rtas(RESET_PE_DMA_WINDOWS, 1, 0, UNIT_HIGH, UNIT_LOW)).containsExactly(0);
    assertThat(machine.bridge.windows()).containsExactly(DEFAULT);
  }

  // --- the argument buffer

  private void cells(int... cells) {
    for (int i = 0; i < cells.length; i++) {
      assertThat(machine.memory.store(BUFFER + i * 4L, 4, ByteOrder.BIG_ENDIAN, cells[i]))
          .isEqualTo(MemoryStatus.OK);
    }
  }

  private int cell(int index) {
    Word word = new Word();
    assertThat(machine.memory.load(BUFFER + index * 4L, 4, ByteOrder.BIG_ENDIAN, word))
        .isEqualTo(MemoryStatus.OK);
    return word.asInt();
  }

  @Test
  void aCallByItsBufferFindsItsInputsThereAndLeavesItsOutputsBehindThem() {
    cells(QUERY_PE_DMA_WINDOW.token(), 3, 5, 0, UNIT_HIGH, UNIT_LOW, 9, 9, 9, 9, 9, 77);
    assertThat(machine.call(H_RTAS, BUFFER)).isEqualTo(SUCCESS);
    assertThat(cell(6)).isZero();
    assertThat(cell(7)).isEqualTo(1);
    assertThat(cell(8)).isEqualTo(0x8000_0000);
    assertThat(cell(9)).isEqualTo(0x107);
    assertThat(cell(10)).isZero();
    assertThat(cell(11)).isEqualTo(77);
  }

  @Test
  void aCallThatIsDrainedLeavesItsOutputsWhenItIs() {
    machine.put(0, PAGE | 3);
    Mapping held = machine.mapping(0, 4096);
    cells(REMOVE_PE_DMA_WINDOW.token(), 1, 1, (int) LIOBN, 9);
    assertThat(machine.call(H_RTAS, BUFFER)).isEqualTo(ReturnCode.HALTED);
    assertThat(cell(4)).isEqualTo(9);
    held.close();
    assertThat(cell(4)).isZero();
    assertThat(machine.cpu.events()).containsExactly("halt", "resume 0");
  }

  @Test
  void aProcessorThatWasResetMeanwhileFindsNothingOfTheCallInItsMemory() {
    machine.put(0, PAGE | 3);
    Mapping held = machine.mapping(0, 4096);
    cells(REMOVE_PE_DMA_WINDOW.token(), 1, 1, (int) LIOBN, 9);
    assertThat(machine.call(H_RTAS, BUFFER)).isEqualTo(ReturnCode.HALTED);
    machine.iommu.reset(machine.cpu);
    held.close();
    assertThat(cell(4)).isEqualTo(9);
    assertThat(machine.cpu.events()).containsExactly("halt");
  }

  @Test
  void aCallWhoseOutcomeCannotBeWrittenIsNotMade() {
    long end = MEMORY_BYTES - 4 * 4;
    int[] cells = {REMOVE_PE_DMA_WINDOW.token(), 1, 1, (int) LIOBN};
    for (int i = 0; i < cells.length; i++) {
      machine.memory.store(end + i * 4L, 4, ByteOrder.BIG_ENDIAN, cells[i]);
    }
    assertThat(machine.call(H_RTAS, end)).isEqualTo(PARAMETER);
    assertThat(machine.put(0, PAGE | 3)).as("the window is there").isEqualTo(SUCCESS);
  }

  /// QEMU's numbers.
  @Test
  void theTokensAreThoseOfTheFirmware() {
    assertThat(RtasFunction.values())
        .extracting(RtasFunction::token)
        .containsExactly(0x2026, 0x2027, 0x2028, 0x2029, 0x2010);
  }

  @Test
  void anUnknownTokenIsAParameterError() {
    cells(0x1234, 0, 1, 9);
    assertThat(machine.call(H_RTAS, BUFFER)).isEqualTo(PARAMETER);
    assertThat(cell(3)).isEqualTo(PARAMETER_ERROR);
  }

  @Test
  void aBufferThatCannotBeReadOrIsTooLongIsAParameterError() {
    assertThat(machine.call(H_RTAS, MEMORY_BYTES)).isEqualTo(PARAMETER);
    assertThat(machine.call(H_RTAS, -4)).isEqualTo(PARAMETER);
    assertThat(machine.call(H_RTAS, MEMORY_BYTES - 8)).isEqualTo(PARAMETER);
    cells(QUERY_PE_DMA_WINDOW.token(), 17, 5);
    assertThat(machine.call(H_RTAS, BUFFER)).isEqualTo(PARAMETER);
    cells(QUERY_PE_DMA_WINDOW.token(), 3, -1);
    assertThat(machine.call(H_RTAS, BUFFER)).isEqualTo(PARAMETER);
    cells(QUERY_PE_DMA_WINDOW.token(), Integer.MAX_VALUE, Integer.MAX_VALUE);
    assertThat(machine.call(H_RTAS, BUFFER)).isEqualTo(PARAMETER);
  }

  @Test
  void everyFunctionHasANameAndATokenOfItsOwn() {
    assertThat(RtasFunction.values()).extracting(RtasFunction::token).doesNotHaveDuplicates();
    assertThat(RtasFunction.values())
        .extracting(RtasFunction::propertyName)
        .doesNotHaveDuplicates()
        .allMatch(name -> name.startsWith("ibm,"));
  }
}
