package dev.sluice.vm.kit.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FioLineTest {
  private static final String NO_PERCENTILES = "0%=0;".repeat(17);

  /// As fio 3.39 wrote it in a guest.
  private static final String READS =
      "107320;21459;5364;5001;12;2489;54.952700;31.510036;2;7353;122.121979;101.292770;"
          + "50.000000%=166;99.000000%=473;99.900000%=1253;"
          + NO_PERCENTILES
          + "40;7410;177.074559;107.556995;17539;23832;100.000000%;21463.700000;2007.335606;";

  private static final String NOTHING =
      "0;0;0;0;0;0;0.000000;0.000000;0;0;0.000000;0.000000;"
          + "50.000000%=0;99.000000%=0;99.900000%=0;"
          + NO_PERCENTILES
          + "0;0;0.000000;0.000000;0;0;0.000000%;0.000000;0.000000;";

  private static final String TAIL = "34.3%;65.4%;5;0;14;100.0%;nvme0n1;0;0;0;0;0;0;0;0.00%";
  private static final String HEAD = "3;fio-3.39;randread-4k-qd1;0;0;";

  static final String READ_LINE = HEAD + READS + NOTHING + TAIL;

  @Test
  void aLineOfReadsIsRead() {
    assertThat(FioLine.parse(READ_LINE, true))
        .contains(
            new FioLine("randread-4k-qd1", 107_320L << 10, 5.001, 177.074559, 166, 473, 1253));
  }

  @Test
  void theWritesOfALineAreAfterItsReads() {
    assertThat(FioLine.parse(HEAD + NOTHING + READS + TAIL, false))
        .map(FioLine::p99Micros)
        .contains(473.0);
  }

  @Test
  void whatMovedNothingIsNoMeasurement() {
    assertThat(FioLine.parse(READ_LINE, false)).isEmpty();
  }

  @Test
  void anErrorOfFiosIsNoMeasurement() {
    assertThat(FioLine.parse(READ_LINE.replace(";0;0;107320", ";0;5;107320"), true)).isEmpty();
  }

  @Test
  void anotherVersionOfTheFormatIsNoMeasurement() {
    assertThat(FioLine.parse("5" + READ_LINE.substring(1), true)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "3", "3;fio-3.39;x;0;0;1;2;3", "fio: something went wrong"})
  void aShortLineIsNoMeasurement(String line) {
    assertThat(FioLine.parse(line, true)).isEqualTo(Optional.empty());
  }

  @ParameterizedTest
  @CsvSource({
    "107320, 9999999999999999999",
    "107320, 9223372036854775807",
    "107320, -1",
    "5001, 0",
    "5001, x",
    "99.000000%=473, 95.000000%=473",
    "99.000000%=473, 99.000000%",
    "99.000000%=473, 99.000000%=NaN",
    "177.074559, Infinity",
    "177.074559, 0"
  })
  void whatCannotBeIsNoMeasurement(String field, String hostile) {
    assertThat(FioLine.parse(READ_LINE.replace(field, hostile), true)).isEmpty();
  }
}
