package dev.sluice.models.spapr;

import static dev.sluice.models.spapr.SpaprMachine.H_GET_TCE;
import static dev.sluice.models.spapr.SpaprMachine.H_PUT_TCE;
import static dev.sluice.models.spapr.SpaprMachine.H_PUT_TCE_INDIRECT;
import static dev.sluice.models.spapr.SpaprMachine.H_STUFF_TCE;
import static dev.sluice.models.spapr.SpaprMachine.LIOBN;
import static dev.sluice.models.spapr.SpaprMachine.LIST;
import static dev.sluice.models.spapr.SpaprMachine.MEMORY_BYTES;
import static dev.sluice.models.spapr.SpaprMachine.PARAMETER;
import static dev.sluice.models.spapr.SpaprMachine.SUCCESS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.memory.Word;
import dev.sluice.models.QuickWalkChecks;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Random calls and accesses beside a plain array that says what must come of them; and guests that
/// call with anything at all.
class RandomCallsTest {
  private static final int ENTRIES = 16;
  private static final int STEPS = 20_000;
  private static final List<RtasFunction> FUNCTIONS = List.of(RtasFunction.values());

  private final SpaprMachine machine =
      new SpaprMachine(SpaprConfig.DEFAULT.withDefaultWindowBytes(ENTRIES * 4096L));
  private final long[] expected = new long[ENTRIES];
  private int quickAnswers;

  @AfterEach
  void giveMemoryBack() {
    machine.close();
  }

  private static long anyEntry(Random random) {
    return switch (random.nextInt(4)) {
      case 0 -> 0;
      case 1 -> random.nextLong() & ~3L;
      default -> ((long) random.nextInt(64, 128) << 12) | random.nextInt(1, 4);
    };
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void everyCallAndEveryAccessGoesAsThePlainTableSays(long seed) {
    Random random = new Random(seed);
    for (int step = 0; step < STEPS; step++) {
      int at = random.nextInt(ENTRIES);
      long ioba = at * 4096L;
      int count = random.nextInt(ENTRIES + 2);
      switch (random.nextInt(5)) {
        case 0 -> {
          expected[at] = anyEntry(random);
          assertThat(machine.put(ioba, expected[at])).isEqualTo(SUCCESS);
        }
        case 1 -> stuff(at, count, anyEntry(random));
        case 2 -> indirect(at, count, random);
        case 3 -> assertThat(machine.get(LIOBN, ioba)).isEqualTo(expected[at]);
        default -> access(ioba, expected[at]);
      }
    }
    assertThat(machine.cpu.events()).isEmpty();
    assertThat(machine.iommu.statistics().calls().drained()).isPositive();
    assertThat(quickAnswers).as("answers of the quick form").isGreaterThan(STEPS / 8);
  }

  private void stuff(int at, int count, long tce) {
    boolean fits = at + count <= ENTRIES;
    assertThat(machine.call(H_STUFF_TCE, LIOBN, at * 4096L, tce, count))
        .isEqualTo(fits ? SUCCESS : PARAMETER);
    for (int i = 0; fits && i < count; i++) {
      expected[at + i] = tce;
    }
  }

  private void indirect(int at, int count, Random random) {
    boolean fits = at + count <= ENTRIES;
    for (int i = 0; i < count; i++) {
      long tce = anyEntry(random);
      machine.store(LIST + i * 8L, tce);
      if (fits) {
        expected[at + i] = tce;
      }
    }
    assertThat(machine.call(H_PUT_TCE_INDIRECT, LIOBN, at * 4096L, LIST, count))
        .isEqualTo(fits ? SUCCESS : PARAMETER);
  }

  private void access(long ioba, long tce) {
    quickAnswers += QuickWalkChecks.assertAgrees(machine.iommu, machine.device.endpoint(), ioba);
    long page = tce & ~0xFFFL;
    if ((tce & 2) != 0) {
      assertThat(machine.device.store(ioba, 8, ByteOrder.BIG_ENDIAN, tce)).isNull();
      assertThat(machine.load(page)).isEqualTo(tce);
    } else {
      assertThat(machine.write(ioba)).isNotNull();
    }
    Word word = new Word();
    if ((tce & 1) != 0) {
      assertThat(machine.device.load(ioba, 8, ByteOrder.BIG_ENDIAN, word)).isNull();
      assertThat(word.asLong()).isEqualTo(machine.load(page));
    } else {
      assertThat(machine.read(ioba)).isNotNull();
    }
  }

  @Test
  void whateverAGuestCallsWithTheModelStands() {
    Random random = new Random(4);
    long[] opcodes = {H_GET_TCE, H_PUT_TCE, H_STUFF_TCE, H_PUT_TCE_INDIRECT, 0xF000, 0};
    long[] odd = {
      0,
      1,
      -1,
      LIOBN,
      LIOBN + 1,
      LIST,
      MEMORY_BYTES,
      MEMORY_BYTES - 8,
      Long.MIN_VALUE,
      512,
      513,
      Long.MAX_VALUE,
      0x0800_0000_0000_0000L
    };
    for (int step = 0; step < STEPS; step++) {
      long[] registers = new long[4];
      for (int i = 0; i < registers.length; i++) {
        registers[i] =
            random.nextBoolean() ? odd[random.nextInt(odd.length)] : random.nextLong() >> 20;
      }
      long opcode = opcodes[random.nextInt(opcodes.length)];
      long returned = machine.iommu.hypercall(machine.cpu, opcode, registers);
      assertThat(returned).isBetween(-57L, 5L);
      RtasFunction function = FUNCTIONS.get(random.nextInt(FUNCTIONS.size()));
      int[] inputs = random.ints(random.nextInt(6)).toArray();
      int[] outputs = new int[random.nextInt(7)];
      assertThat(machine.iommu.rtas(machine.cpu, function, inputs, outputs)).isEqualTo(SUCCESS);
    }
    assertThat(machine.cpu.events()).isEmpty();
    machine.iommu.reset(() -> {});
    assertThat(machine.put(0, 0x40_0003)).isEqualTo(SUCCESS);
    assertThat(machine.write(0)).isNull();
  }
}
