package dev.sluice.models.vtd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.memory.Access;
import dev.sluice.models.vtd.ContextEntry.TranslationType;
import dev.sluice.models.walk.RadixFormat.Kind;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Bit layouts, one bit after the other, against what the specification's pictures say of each.
class TableEntriesTest {
  /// A host address width of 42 bits, so that reserved address bits lie on both sides of the
  /// ignored ones.
  private static final int WIDTH = 42;

  private static final long ADDRESS_MASK = 0x3FF_FFFF_F000L;

  private static boolean within(int bit, int high, int low) {
    return bit >= low && bit <= high;
  }

  @Nested
  class Root {
    @Test
    void everyBitIsPresenceAddressOrReserved() {
      for (int bit = 1; bit < 64; bit++) {
        boolean reserved = !within(bit, WIDTH - 1, 12);
        assertThat(new RootEntry(1 | (1L << bit), 0).isMalformed(ADDRESS_MASK))
            .as("bit %d", bit)
            .isEqualTo(reserved);
      }
      for (int bit = 0; bit < 64; bit++) {
        assertThat(new RootEntry(1, 1L << bit).isMalformed(ADDRESS_MASK))
            .as("bit %d", 64 + bit)
            .isTrue();
      }
    }

    @Test
    void fieldsAndPlace() {
      RootEntry entry = new RootEntry(0x12_3456_7001L, 0);
      assertThat(entry.isPresent()).isTrue();
      assertThat(new RootEntry(~1L, -1).isPresent()).isFalse();
      assertThat(entry.contextTable()).isEqualTo(0x12_3456_7000L);
      assertThat(RootEntry.address(0x8000, 0xFF)).isEqualTo(0x8FF0);
    }
  }

  @Nested
  class Context {
    @Test
    void everyLowBitIsAFlagAddressOrReserved() {
      for (int bit = 0; bit < 64; bit++) {
        boolean reserved = !within(bit, 3, 0) && !within(bit, WIDTH - 1, 12);
        assertThat(new ContextEntry(1L << bit, 0).isMalformed(ADDRESS_MASK))
            .as("bit %d", bit)
            .isEqualTo(reserved);
      }
    }

    @Test
    void everyHighBitIsWidthIgnoredDomainOrReserved() {
      for (int bit = 64; bit < 128; bit++) {
        boolean reserved = bit == 71 || bit >= 88;
        assertThat(new ContextEntry(1, 1L << (bit - 64)).isMalformed(ADDRESS_MASK))
            .as("bit %d", bit)
            .isEqualTo(reserved);
      }
    }

    @Test
    void fields() {
      ContextEntry entry = new ContextEntry(0x12_3456_7003L, 0x00AB_CD02L);
      assertThat(entry.isPresent()).isTrue();
      assertThat(entry.faultProcessingDisabled()).isTrue();
      assertThat(new ContextEntry(~3L, -1).isPresent()).isFalse();
      assertThat(new ContextEntry(~3L, -1).faultProcessingDisabled()).isFalse();
      assertThat(entry.table()).isEqualTo(0x12_3456_7000L);
      assertThat(entry.domainId()).isEqualTo(0xABCD);
      assertThat(entry.levels()).isEqualTo(4);
      assertThat(entry.addressWidth()).isEqualTo(48);
      assertThat(ContextEntry.address(0x8000, 0xFF)).isEqualTo(0x8FF0);
    }

    @ParameterizedTest
    @CsvSource({"0,SECOND_STAGE", "1,UNSUPPORTED", "2,PASS_THROUGH", "3,UNSUPPORTED"})
    void translationTypes(long type, TranslationType expected) {
      ContextEntry entry = new ContextEntry(1 | (type << 2), 2);
      assertThat(entry.translationType()).isEqualTo(expected);
      assertThat(entry.isSupported()).isEqualTo(expected != TranslationType.UNSUPPORTED);
    }

    @ParameterizedTest
    @CsvSource({"0,0", "1,3", "2,4", "3,0", "4,0", "5,0", "6,0", "7,0"})
    void addressWidths(long width, int levels) {
      // The ignored bits beside it do not matter.
      ContextEntry entry = new ContextEntry(1, width | 0x78);
      assertThat(entry.levels()).isEqualTo(levels);
      assertThat(entry.isSupported()).isEqualTo(levels != 0);
    }
  }

  @Nested
  class SecondStage {
    private final SecondStageEntry format = new SecondStageEntry(ADDRESS_MASK);

    private static boolean ignoredEverywhere(int bit) {
      return within(bit, 6, 2) || within(bit, 10, 8) || within(bit, 61, 52) || bit == 63;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void everyBitOfAnEntryThatLeadsOn(int level) {
      for (int bit = 2; bit < 64; bit++) {
        boolean address = within(bit, WIDTH - 1, 12);
        boolean leaf = level == 1;
        boolean allowed = ignoredEverywhere(bit) || address || (leaf && (bit == 7 || bit == 11));
        Kind expected = allowed ? (leaf ? Kind.PAGE : Kind.TABLE) : Kind.MALFORMED;
        if (bit == 7 && (level == 2 || level == 3)) {
          expected = Kind.PAGE;
        }
        assertThat(format.kind(3 | (1L << bit), level)).as("bit %d", bit).isEqualTo(expected);
        if (level > 1) {
          assertThat(format.leadsOn(3 | (1L << bit), level))
              .as("bit %d", bit)
              .isEqualTo(expected == Kind.TABLE);
        }
      }
    }

    @ParameterizedTest
    @CsvSource({"2,21", "3,30"})
    void everyBitOfALargePage(int level, int shift) {
      for (int bit = 2; bit < 64; bit++) {
        boolean allowed =
            ignoredEverywhere(bit) || bit == 7 || bit == 11 || within(bit, WIDTH - 1, shift);
        assertThat(format.kind(0x83 | (1L << bit), level))
            .as("bit %d", bit)
            .isEqualTo(allowed ? Kind.PAGE : Kind.MALFORMED);
      }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void withoutReadAndWriteNothingElseCounts(int level) {
      assertThat(format.kind(~3L, level)).isEqualTo(Kind.ABSENT);
      assertThat(format.kind(0, level)).isEqualTo(Kind.ABSENT);
      assertThat(format.leadsOn(0, level)).isFalse();
      assertThat(format.leadsOn(~3L & ADDRESS_MASK, level)).isFalse();
      assertThat(format.kind(1, level)).isNotEqualTo(Kind.ABSENT);
      assertThat(format.kind(2, level)).isNotEqualTo(Kind.ABSENT);
    }

    @Test
    void fields() {
      assertThat(format.address(-1)).isEqualTo(0x000F_FFFF_FFFF_F000L);
      assertThat(format.rights(1)).isEqualTo(Access.READ.rights());
      assertThat(format.rights(2)).isEqualTo(Access.WRITE.rights());
      assertThat(format.rights(-1)).isEqualTo(Access.READ_WRITE.rights());
      assertThat(format.rights(~3L)).isZero();
    }
  }
}
