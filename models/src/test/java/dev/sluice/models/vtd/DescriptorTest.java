package dev.sluice.models.vtd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.models.vtd.CacheInvalidation.ContextDevice;
import dev.sluice.models.vtd.CacheInvalidation.ContextDomain;
import dev.sluice.models.vtd.CacheInvalidation.ContextGlobal;
import dev.sluice.models.vtd.CacheInvalidation.IotlbDomain;
import dev.sluice.models.vtd.CacheInvalidation.IotlbGlobal;
import dev.sluice.models.vtd.CacheInvalidation.IotlbPages;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Descriptors of the queue and commands of the registers, which ask for the same things by other
/// bits.
class DescriptorTest {
  private static final Descriptor RESERVED = new Descriptor.Invalid(QueueError.RESERVED_FIELD);
  private static final Descriptor UNKNOWN = new Descriptor.Invalid(QueueError.TYPE);

  private static Descriptor invalidates(CacheInvalidation what) {
    return new Descriptor.Invalidate(what);
  }

  @Test
  void contextCacheGranularities() {
    assertThat(Descriptor.decode(0x11, 0)).isEqualTo(invalidates(new ContextGlobal()));
    assertThat(Descriptor.decode(0xABCD_0021L, 0))
        .isEqualTo(invalidates(new ContextDomain(0xABCD)));
    assertThat(Descriptor.decode(0x0002_1234_ABCD_0031L, 0))
        .isEqualTo(invalidates(ContextDevice.of(0x1234, 2, 0xABCD)));
    assertThat(Descriptor.decode(0x01, 0)).isEqualTo(RESERVED);
  }

  @Test
  void iotlbGranularities() {
    assertThat(Descriptor.decode(0x12, 0)).isEqualTo(invalidates(new IotlbGlobal()));
    assertThat(Descriptor.decode(0xABCD_0022L, 0)).isEqualTo(invalidates(new IotlbDomain(0xABCD)));
    assertThat(Descriptor.decode(0xABCD_0032L, 0x1234_5000))
        .isEqualTo(invalidates(new IotlbPages(0xABCD, 0x1234_5000, 0x1234_5FFF, false)));
    assertThat(Descriptor.decode(0x02, 0)).isEqualTo(RESERVED);
  }

  @Test
  void drainBitsChangeNothing() {
    assertThat(Descriptor.decode(0xABCD_00F2L, 0x1234_5000))
        .isEqualTo(invalidates(new IotlbPages(0xABCD, 0x1234_5000, 0x1234_5FFF, false)));
  }

  @Test
  void theHintSaysThatOnlyLeavesHaveChanged() {
    IotlbPages expected = new IotlbPages(0xABCD, 0x1234_5000, 0x1234_5FFF, true);
    assertThat(Descriptor.decode(0xABCD_0032L, 0x1234_5040)).isEqualTo(invalidates(expected));
    assertThat(IotlbCommand.request((3L << 60) | (0xABCDL << 32), 0x1234_5040)).isEqualTo(expected);
  }

  @Test
  void waits() {
    assertThat(Descriptor.decode(0x8765_4321_0000_0025L, 0x1_0000_0004L))
        .isEqualTo(new Descriptor.Wait(true, 0x1_0000_0004L, 0x8765_4321, false));
    assertThat(Descriptor.decode(0x15, 0)).isEqualTo(new Descriptor.Wait(false, 0, 0, true));
    assertThat(Descriptor.decode(0x45, 0)).isEqualTo(new Descriptor.Wait(false, 0, 0, false));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
  void typesThatNeedWhatTheUnitHasNotAreInvalid(int type) {
    assertThat(Descriptor.decode(type | 0x10, 0)).isEqualTo(UNKNOWN);
  }

  @ParameterizedTest
  @ValueSource(ints = {0x11, 0x12, 0x25})
  void aTypeHasThreeBitsMoreInBits11To9(int low) {
    assertThat(Descriptor.decode(low, 0)).isNotInstanceOf(Descriptor.Invalid.class);
    for (int more = 1; more < 8; more++) {
      assertThat(Descriptor.decode(low | (more << 9), 0)).isEqualTo(UNKNOWN);
    }
  }

  /// Which bits are fields; each of the others, alone, makes the descriptor invalid.
  @ParameterizedTest
  @CsvSource({
    "0x11, 0, 0x0003FFFFFFFF003F, 0",
    "0x12, 0, 0x00000000FFFF00FF, 0xFFFFFFFFFFFFF07F",
    "0x25, 0, 0xFFFFFFFF0000007F, 0xFFFFFFFFFFFFFFFC"
  })
  void everyReservedBitMakesADescriptorInvalid(
      String lowText, String highText, String lowFields, String highFields) {
    long low = Long.decode(lowText);
    long high = Long.decode(highText);
    long lowMask = Long.parseUnsignedLong(lowFields.substring(2), 16);
    long highMask =
        highFields.startsWith("0x") ? Long.parseUnsignedLong(highFields.substring(2), 16) : 0;
    for (int bit = 4; bit < 64; bit++) {
      if (bit >= 9 && bit <= 11) {
        // Of the type.
        continue;
      }
      if ((lowMask & (1L << bit)) == 0) {
        assertThat(Descriptor.decode(low | (1L << bit), high))
            .as("bit %d", bit)
            .isEqualTo(RESERVED);
      } else if (bit > 5) {
        assertThat(Descriptor.decode(low | (1L << bit), high))
            .as("bit %d", bit)
            .isNotInstanceOf(Descriptor.Invalid.class);
      }
    }
    for (int bit = 0; bit < 64; bit++) {
      if ((highMask & (1L << bit)) == 0) {
        assertThat(Descriptor.decode(low, high | (1L << bit)))
            .as("bit %d", 64 + bit)
            .isEqualTo(RESERVED);
      } else {
        assertThat(Descriptor.decode(low, high | (1L << bit)))
            .as("bit %d", 64 + bit)
            .isNotInstanceOf(Descriptor.Invalid.class);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 8, 9, 17, 18})
  void pagesAreASizeAlignedRun(int mask) {
    long bytes = 4096L << mask;
    long address = 0x1234_5678_9000L;
    IotlbPages expected =
        new IotlbPages(5, address - address % bytes, address - address % bytes + bytes - 1, false);
    assertThat(Descriptor.decode(0x0005_0032L, address | mask)).isEqualTo(invalidates(expected));
    assertThat(IotlbCommand.request((3L << 60) | (5L << 32), address | mask)).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(ints = {19, 20, 63})
  void aMaskAboveTheMaximumIsRefused(int mask) {
    assertThat(Descriptor.decode(0x0005_0032L, mask)).isEqualTo(RESERVED);
    assertThat(IotlbCommand.request((3L << 60) | (5L << 32), mask)).isNull();
  }

  @Test
  void addressBitsAboveTheGuestAddressWidthAreIgnored() {
    assertThat(Descriptor.decode(0x32, 0xFFFF_0000_0000_1000L))
        .isEqualTo(invalidates(new IotlbPages(0, 0x1000, 0x1FFF, false)));
  }

  @ParameterizedTest
  @CsvSource({"0, 0x2D, 1", "1, 0x29, 2", "2, 0x29, 4", "3, 0x28, 8"})
  void functionMasks(int mask, String first, int functions) {
    ContextDevice device = ContextDevice.of(0x2D, mask, 1);
    int matched = 0;
    for (int requester = 0; requester < 0x1_0000; requester++) {
      if (device.matches(requester)) {
        assertThat(requester & ~7).isEqualTo(0x28);
        matched++;
      }
    }
    assertThat(matched).isEqualTo(functions);
    assertThat(device.matches(0x2D)).isTrue();
    assertThat(device.matches(Integer.decode(first))).isTrue();
  }

  @Test
  void contextCommands() {
    assertThat(ContextCommand.request(1L << 61)).isEqualTo(new ContextGlobal());
    assertThat(ContextCommand.request((2L << 61) | 0xABCD)).isEqualTo(new ContextDomain(0xABCD));
    assertThat(ContextCommand.request((3L << 61) | 0x3_1234_ABCDL))
        .isEqualTo(ContextDevice.of(0x1234, 3, 0xABCD));
    assertThat(ContextCommand.request(1L << 63)).isNull();
  }

  @Test
  void iotlbCommands() {
    assertThat(IotlbCommand.request(1L << 60, 0)).isEqualTo(new IotlbGlobal());
    assertThat(IotlbCommand.request((2L << 60) | (0xABCDL << 32), 0))
        .isEqualTo(new IotlbDomain(0xABCD));
    assertThat(IotlbCommand.request(1L << 63, 0)).isNull();
  }
}
