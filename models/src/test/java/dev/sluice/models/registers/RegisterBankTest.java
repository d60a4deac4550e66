package dev.sluice.models.registers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RegisterBankTest {
  private static final Register STATUS =
      Register.of("STATUS", 0x00, 4).resetTo(0xC0FFEE11L).writeOneToClear(0x0000_00FF);
  private static final Register CONTROL =
      Register.of("CONTROL", 0x04, 4).resetTo(0x8000_0000L).writable(0x8000_FFFFL);
  private static final Register ADDRESS =
      Register.of("ADDRESS", 0x10, 8).writable(0x0000_FFFF_FFFF_F000L);
  private static final int SIZE = 0x40;

  private final ModelLock lock = new ModelLock();
  private final List<String> writes = new ArrayList<>();
  private final RegisterBank bank =
      RegisterBank.builder(lock, SIZE)
          .add(STATUS)
          .add(CONTROL, note("CONTROL"))
          .add(ADDRESS, note("ADDRESS"))
          .build();

  private WriteHook note(String name) {
    return (value, before, touched) ->
        writes.add("%s %x was %x touched %x".formatted(name, value, before, touched));
  }

  @Test
  void startsAtTheResetValues() {
    assertThat(bank.read(0x00, 4)).isEqualTo(0xC0FFEE11L);
    assertThat(bank.read(0x04, 4)).isEqualTo(0x8000_0000L);
    assertThat(bank.read(0x10, 8)).isZero();
  }

  @Test
  void readsOfOneAccessMaySpanRegisters() {
    assertThat(bank.read(0x00, 8)).isEqualTo(0x8000_0000_C0FF_EE11L);
    assertThat(bank.read(0x03, 2)).isEqualTo(0x00C0L);
    assertThat(bank.read(0x07, 1)).isEqualTo(0x80L);
  }

  @Test
  void readsSeeTheBytesOfAWideRegister() {
    bank.write(0x10, 8, 0x0000_1234_5678_9000L);
    assertThat(bank.read(0x10, 4)).isEqualTo(0x5678_9000L);
    assertThat(bank.read(0x14, 4)).isEqualTo(0x1234L);
    assertThat(bank.read(0x11, 2)).isEqualTo(0x7890L);
    assertThat(bank.read(0x0E, 8)).isEqualTo(0x1234_5678_9000_0000L);
  }

  @Test
  void writableBitsAreTakenAndOthersKept() {
    bank.write(0x04, 4, 0xFFFF_FFFFL);
    assertThat(bank.read(0x04, 4)).isEqualTo(0x8000_FFFFL);
    bank.write(0x04, 4, 0);
    assertThat(bank.read(0x04, 4)).isZero();
  }

  @Test
  void aPartialWriteLeavesTheOtherBytesAlone() {
    bank.write(0x10, 8, 0x0000_1234_5678_9000L);
    bank.write(0x14, 4, 0xFFFF_ABCDL);
    assertThat(bank.read(0x10, 8)).isEqualTo(0x0000_ABCD_5678_9000L);
    bank.write(0x12, 1, 0x11);
    assertThat(bank.read(0x10, 8)).isEqualTo(0x0000_ABCD_5611_9000L);
  }

  @Test
  void writingOneClearsAndWritingZeroDoesNot() {
    bank.write(0x00, 4, 0xFFFF_FF01L);
    assertThat(bank.read(0x00, 4)).isEqualTo(0xC0FFEE10L);
    bank.write(0x00, 4, 0);
    assertThat(bank.read(0x00, 4)).isEqualTo(0xC0FFEE10L);
    bank.write(0x01, 1, 0xFF);
    assertThat(bank.read(0x00, 4)).isEqualTo(0xC0FFEE10L);
  }

  @Test
  void theHookSeesTheNewContentTheOldAndWhatWasTouched() {
    bank.write(0x14, 4, 0x1234);
    bank.write(0x06, 2, 0);
    assertThat(writes)
        .containsExactly(
            "ADDRESS 123400000000 was 0 touched ffffffff00000000",
            "CONTROL 0 was 80000000 touched ffff0000");
  }

  @Test
  void aStraddlingWriteReachesEachRegisterOnceInAscendingOrder() {
    RegisterBank dense =
        RegisterBank.builder(lock, 16)
            .add(Register.of("A", 0, 4).writable(0xFFFF_FFFFL), note("A"))
            .add(Register.of("B", 4, 4).writable(0xFFFF_FFFFL), note("B"))
            .add(Register.of("C", 8, 8).writable(-1), note("C"))
            .build();
    dense.write(2, 8, 0x8877_6655_4433_2211L);
    assertThat(dense.read(0, 8)).isEqualTo(0x6655_4433_2211_0000L);
    assertThat(dense.read(8, 8)).isEqualTo(0x8877L);
    assertThat(writes)
        .containsExactly(
            "A 22110000 was 0 touched ffff0000",
            "B 66554433 was 0 touched ffffffff",
            "C 8877 was 0 touched ffff");
  }

  @Test
  void nothingIsDeclaredInAGap() {
    bank.write(0x08, 8, -1);
    assertThat(bank.read(0x08, 8)).isZero();
    assertThat(writes).isEmpty();
  }

  @Test
  void nothingIsBeyondTheEnd() {
    bank.write(SIZE, 8, -1);
    bank.write(SIZE - 4, 8, -1);
    bank.write(1L << 40, 4, -1);
    assertThat(bank.read(SIZE, 4)).isZero();
    assertThat(bank.read(SIZE - 4, 8)).isZero();
    assertThat(bank.read(Long.MAX_VALUE - 8, 8)).isZero();
  }

  @Test
  void theModelSetsReadOnlyBitsAndSetsNothingOff() {
    lock.run(() -> {
      bank.set(CONTROL, 0x7FFF_0000L);
      bank.change(CONTROL, 0x7000_0000L, 0x1);
      assertThat(bank.get(CONTROL)).isEqualTo(0x0FFF_0001L);
    });
    assertThat(writes).isEmpty();
  }

  @Test
  void theModelsSideWantsTheLock() {
    assertThatIllegalStateException().isThrownBy(() -> bank.get(CONTROL));
    assertThatIllegalStateException().isThrownBy(() -> bank.set(CONTROL, 0));
    assertThatIllegalStateException().isThrownBy(bank::reset);
  }

  @Test
  void aValueThatDoesNotFitIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> lock.run(() -> bank.set(CONTROL, 1L << 32)))
        .withMessageContaining("CONTROL");
  }

  @Test
  void resetRestoresEveryRegister() {
    bank.write(0x04, 4, 0x1234);
    bank.write(0x10, 8, -1);
    lock.run(bank::reset);
    assertThat(bank.read(0x04, 4)).isEqualTo(0x8000_0000L);
    assertThat(bank.read(0x10, 8)).isZero();
  }

  @Test
  void overlapsAndOutsidersAreRefusedAtOnce() {
    assertThatIllegalArgumentException()
        .isThrownBy(() ->
            RegisterBank.builder(lock, 16)
                .add(Register.of("WIDE", 0, 8))
                .add(Register.of("HIGH", 4, 4))
                .build())
        .withMessage("WIDE and HIGH overlap at 0x4");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RegisterBank.builder(lock, 16).add(Register.of("FAR", 16, 4)).build())
        .withMessageContaining("FAR");
    assertThatIllegalArgumentException().isThrownBy(() -> RegisterBank.builder(lock, 6));
  }

  @Test
  void impossibleDeclarationsAreRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> Register.of("R", 0, 2));
    assertThatIllegalArgumentException().isThrownBy(() -> Register.of("R", 4, 8));
    assertThatIllegalArgumentException().isThrownBy(() -> Register.of("R", -4, 4));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Register.of("R", 0, 4).writable(1L << 32));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Register.of("R", 0, 4).writable(1).writeOneToClear(1));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3, 5, 16, -1})
  void accessesOfOtherSizesAreMisuse(int bytes) {
    assertThatIllegalArgumentException().isThrownBy(() -> bank.read(0, bytes));
    assertThatIllegalArgumentException().isThrownBy(() -> bank.write(0, bytes, 0));
  }

  @Test
  void negativeOffsetsAreMisuse() {
    assertThatIllegalArgumentException().isThrownBy(() -> bank.read(-1, 4));
    assertThatIllegalArgumentException().isThrownBy(() -> bank.write(Long.MIN_VALUE, 4, 0));
  }

  /// Against the plainest of models: an array of bytes with a mask of bytes.
  @Test
  void everyMixOfSizesAndOffsetsAgreesWithAnArrayOfBytes() {
    RegisterBank plain =
        RegisterBank.builder(lock, 32)
            .add(Register.of("A", 0, 8).writable(0x00FF_FF00_FFFF_FFFFL))
            .add(Register.of("B", 8, 4).writable(0xFFFF_FFFFL))
            .add(Register.of("C", 16, 8).writable(-1))
            .add(Register.of("D", 28, 4).writable(0x0F0F_0F0FL))
            .build();
    byte[] mask = new byte[40];
    for (int i = 0; i < 32; i++) {
      long bits =
          switch (i / 8) {
            case 0 -> 0x00FF_FF00_FFFF_FFFFL;
            case 1 -> 0xFFFF_FFFFL;
            case 2 -> -1L;
            default -> 0x0F0F_0F0FL << 32;
          };
      mask[i] = (byte) (bits >>> (8 * (i % 8)));
    }
    byte[] bytes = new byte[40];
    SplittableRandom random = new SplittableRandom(7);
    for (int round = 0; round < 20_000; round++) {
      int size = 1 << random.nextInt(4);
      int offset = random.nextInt(34);
      if (random.nextBoolean()) {
        long value = random.nextLong();
        plain.write(offset, size, value);
        for (int i = 0; i < size && offset + i < 40; i++) {
          bytes[offset + i] = (byte) ((value >>> (8 * i)) & mask[offset + i]);
        }
      }
      long expected = 0;
      for (int i = size - 1; i >= 0; i--) {
        expected = (expected << 8) | (offset + i < 40 ? bytes[offset + i] & 0xFF : 0);
      }
      assertThat(plain.read(offset, size)).isEqualTo(expected);
    }
  }
}
