package dev.sluice.bench.jmh;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AddressStreamTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 64, 4096})
  void visitsEachPageOnceARound(int pages) {
    AddressStream stream = AddressStream.of(0, pages, 4096);

    List<Long> seen = round(stream, pages);

    assertThat(seen).doesNotHaveDuplicates().allMatch(at -> at % 4096 == 0);
    assertThat(seen.getLast()).isZero();
  }

  @Test
  void neighboursInTimeAreFarApart() {
    List<Long> seen = round(AddressStream.of(0, 64, 4096), 64);

    assertThat(seen.get(1) - seen.get(0)).isNotEqualTo(4096);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 64, 4096})
  void betweenTwoVisitsOfAnAddressIsOneOfItsAlias(int pages) {
    long alias = 1L << 24;
    AddressStream stream = AddressStream.aliased(0, pages, 4096, alias);

    List<Long> seen = round(stream, 2 * pages);

    // Each address once a round, so its alias once between it and the next round's.
    assertThat(seen).doesNotHaveDuplicates().hasSize(2 * pages);
    assertThat(seen).allMatch(at -> seen.contains(at ^ alias));
    assertThat(seen.getLast()).isZero();
  }

  private static List<Long> round(AddressStream stream, int visits) {
    List<Long> seen = new ArrayList<>();
    long at = 0;
    for (int i = 0; i < visits; i++) {
      at = ((at | stream.gap()) + stream.step()) & stream.mask();
      seen.add(at);
    }
    return seen;
  }
}
