package dev.sluice.iommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.iommu.Translation.Page;
import dev.sluice.memory.Access;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TranslationTest {
  @Test
  void aPageTranslatesEachOfItsAddresses() {
    Page page = new Page(0x40_0000, 0x8000_0000L, 21, true, false, 1);
    assertThat(page.translate(0x40_0000)).isEqualTo(0x8000_0000L);
    assertThat(page.translate(0x5F_FFFF)).isEqualTo(0x801F_FFFFL);
    assertThat(page.contains(0x3F_FFFF)).isFalse();
    assertThat(page.contains(0x60_0000)).isFalse();
    assertThat(page.last()).isEqualTo(0x5F_FFFF);
  }

  @Test
  void aPageAllowsWhatItsRightsSay() {
    Page readOnly = new Page(0, 0, 12, true, false, 1);
    Page writeOnly = new Page(0, 0, 12, false, true, 1);
    assertThat(readOnly.allows(Access.READ)).isTrue();
    assertThat(readOnly.allows(Access.WRITE)).isFalse();
    assertThat(readOnly.allows(Access.READ_WRITE)).isFalse();
    assertThat(writeOnly.allows(Access.READ)).isFalse();
    assertThat(writeOnly.allows(Access.WRITE)).isTrue();
    assertThat(writeOnly.allows(Access.READ_WRITE)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 64})
  void aPageHasAtMostHalfTheSpace(int shift) {
    assertThatThrownBy(() -> new Page(0, 0, shift, true, true, 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aPageThatIsNotAlignedIsAMistakeOfTheModel() {
    assertThatThrownBy(() -> new Page(0x1000, 0, 13, true, true, 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Page(0, 0x800, 12, true, true, 0))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
