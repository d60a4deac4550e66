package dev.sluice.pci;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// How accesses of any size become accesses of dwords.
class DwordRegistersTest {
  private final List<String> accesses = new ArrayList<>();
  private final DwordRegisters registers =
      new DwordRegisters() {
        @Override
        protected int readDword(long offset) {
          accesses.add("read " + offset);
          // Bytes count up with their offset from 0xf0 on.
          int first = 0xf0 + (int) offset;
          return (first & 0xff)
              | ((first + 1) & 0xff) << 8
              | ((first + 2) & 0xff) << 16
              | ((first + 3) & 0xff) << 24;
        }

        @Override
        protected void writeDword(long offset, int value) {
          accesses.add("write %d %08x".formatted(offset, value));
        }
      };

  @ParameterizedTest
  @CsvSource({
    "0, 1, 0xf0, 1",
    "3, 1, 0xf3, 1",
    "1, 2, 0xf2f1, 1",
    "3, 2, 0xf4f3, 2",
    "4, 4, 0xf7f6f5f4, 1",
    "5, 4, 0xf8f7f6f5, 2",
    "8, 8, 0xfffefdfcfbfaf9f8, 2",
    "7, 8, 0xfefdfcfbfaf9f8f7, 3"
  })
  void aReadLooksAtEachDwordOnce(long offset, int size, String value, int dwords) {
    long expected = Long.parseUnsignedLong(value.substring(2), 16);

    assertThat(registers.read(offset, size)).isEqualTo(expected);
    assertThat(accesses).hasSize(dwords).doesNotHaveDuplicates();
  }

  @Test
  void aWriteOfAQwordIsTwoDwordsTheLowOneFirst() {
    registers.write(8, 8, 0x1122_3344_5566_7788L);

    assertThat(accesses).containsExactly("write 8 55667788", "write 12 11223344");
  }

  @ParameterizedTest
  @CsvSource({"0, 1", "0, 2", "2, 4", "1, 4", "4, 8"})
  void otherWritesAreIgnored(long offset, int size) {
    registers.write(offset, size, -1);

    assertThat(accesses).isEmpty();
  }
}
