package dev.sluice.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The header, BAR sizing and the capability list (PCIe 7.5.1), by the offsets of the
/// specification.
class ConfigSpaceTest {
  private static final BarHandler NOTHING =
      new BarHandler() {
        @Override
        public long read(long offset, int size) {
          return 0;
        }

        @Override
        public void write(long offset, int size, long value) {}
      };

  private static ConfigSpace.Builder builder() {
    return ConfigSpace.builder().id(0x1234, 0xabcd).revision(3).classCode(0x010802);
  }

  @Test
  void headerHasTheIdentifiersAndTheClass() {
    ConfigSpace space = builder().subsystem(0x1111, 0x2222).interruptPin(1).build();

    assertThat(space.read(0x00, 4)).isEqualTo(0xabcd_1234L);
    assertThat(space.read(0x08, 4)).isEqualTo(0x0108_0203L);
    assertThat(space.read(0x0e, 1)).as("header type").isZero();
    assertThat(space.read(0x2c, 4)).isEqualTo(0x2222_1111L);
    assertThat(space.read(0x3d, 1)).isEqualTo(1);
    assertThat(space.interruptPin()).isEqualTo(1);
    assertThat(space.read(0x100, 4)).as("no extended capabilities").isZero();
    assertThat(space.read(0xffc, 4)).isZero();
  }

  @Test
  void readOnlyRegistersKeepTheirValue() {
    ConfigSpace space = builder().build();
    for (int offset = 0; offset < ConfigSpace.SIZE; offset += 8) {
      space.write(offset, 8, -1);
    }

    assertThat(space.read(0x00, 4)).isEqualTo(0xabcd_1234L);
    assertThat(space.read(0x06, 2)).as("STATUS").isEqualTo(0x10);
    assertThat(space.read(0x08, 4)).isEqualTo(0x0108_0203L);
    assertThat(space.read(0x30, 4)).as("no ROM").isZero();
    assertThat(space.read(0x10, 8)).as("no BARs").isZero();
    assertThat(space.read(0x04, 2)).as("COMMAND").isEqualTo(0x547);
    assertThat(space.read(0x3c, 1)).as("interrupt line").isEqualTo(0xff);
  }

  @ParameterizedTest
  @CsvSource({
    "MEMORY_32, false, 0x10, 0xfffffff0",
    "MEMORY_32, true, 0x100000, 0xfff00008",
    "MEMORY_32, false, 0x80000000, 0x80000000",
    "IO, false, 0x100, 0xffffff01"
  })
  void aBarWrittenWithOnesTellsItsSize(
      Bar.Kind kind, boolean prefetchable, String size, String mask) {
    Bar bar = new Bar(2, kind, Long.decode(size), prefetchable, NOTHING);
    ConfigSpace space = builder().bar(bar).build();

    space.write(0x18, 4, 0xffff_ffffL);
    assertThat(space.read(0x18, 4)).isEqualTo(Long.decode(mask));

    space.write(0x18, 4, 0x8000_0000L | Long.decode(size));
    long address = 0x8000_0000L | Long.decode(size);
    assertThat(space.address(bar)).isEqualTo(address);
  }

  @Test
  void a64BitBarUsesTwoRegisters() {
    Bar bar = new Bar(4, Bar.Kind.MEMORY_64, 1L << 33, true, NOTHING);
    ConfigSpace space = builder().bar(bar).build();

    space.write(0x20, 4, 0xffff_ffffL);
    space.write(0x24, 4, 0xffff_ffffL);
    assertThat(space.read(0x20, 8)).isEqualTo(0xffff_fffe_0000_000cL);

    space.write(0x24, 4, 0x12);
    space.write(0x20, 4, 0);
    assertThat(space.address(bar)).isEqualTo(0x12_0000_0000L);
  }

  @Test
  void impossibleBarsAreRefused() {
    assertThatThrownBy(() -> Bar.memory32(6, 16, NOTHING)).hasMessageContaining("6");
    assertThatThrownBy(() -> Bar.memory64(5, 16, NOTHING)).hasMessageContaining("5");
    assertThatThrownBy(() -> Bar.memory32(0, 8, NOTHING)).hasMessageContaining("8");
    assertThatThrownBy(() -> Bar.memory32(0, 48, NOTHING)).hasMessageContaining("48");
    assertThatThrownBy(() -> Bar.memory32(0, 1L << 32, NOTHING))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Bar(0, Bar.Kind.IO, 512, false, NOTHING))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Bar(0, Bar.Kind.IO, 16, true, NOTHING))
        .isInstanceOf(IllegalArgumentException.class);
    ConfigSpace.Builder taken = builder().bar(Bar.memory64(0, 16, NOTHING));
    assertThatThrownBy(() -> taken.bar(Bar.memory32(1, 16, NOTHING)))
        .hasMessageContaining("used twice");
  }

  @Test
  void capabilitiesAreLinkedFromTheHeader() {
    ConfigSpace space =
        builder()
            .capability(new PowerManagementCapability())
            .capability(new MsiCapability(4))
            .capability(new PcieCapability(PcieCapability.Type.ENDPOINT))
            .build();

    List<Long> ids = new ArrayList<>();
    for (int at = (int) space.read(0x34, 1); at != 0; at = (int) space.read(at + 1, 1)) {
      assertThat(at % 4).as("alignment").isZero();
      ids.add(space.read(at, 1));
    }
    assertThat(ids).containsExactly(0x01L, 0x05L, 0x10L);
    assertThat(space.read(0x06, 2)).as("STATUS: capabilities list").isEqualTo(0x10);
  }

  @Test
  void aFunctionWithoutCapabilitiesHasNoListOfThem() {
    ConfigSpace space = builder().build();

    assertThat(space.read(0x34, 1)).isZero();
    assertThat(space.capability(MsiCapability.class)).isEmpty();
  }

  @Test
  void tooManyCapabilitiesAreRefused() {
    ConfigSpace.Builder builder = builder();
    for (int i = 0; i < 4; i++) {
      builder.capability(new PcieCapability(PcieCapability.Type.ENDPOINT));
    }

    assertThatThrownBy(builder::build).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void msiAsksForItsVectorsAndTakesTheAddress() {
    ConfigSpace space = builder().capability(new MsiCapability(8)).build();
    space.write(0x42, 2, 0xffff);
    space.write(0x44, 8, -1);
    space.write(0x4c, 2, 0xffff);

    assertThat(space.read(0x42, 2)).isEqualTo(0x80 | 0x70 | 3 << 1 | 1);
    assertThat(space.read(0x44, 8)).isEqualTo(0xffff_ffff_ffff_fffcL);
    assertThat(space.read(0x4c, 2)).isEqualTo(0xffff);
  }

  @Test
  void valuesThatDoNotFitTheirRegisterAreRefused() {
    assertThatThrownBy(() -> builder().id(0x1_0000, 0)).hasMessageContaining("vendor");
    assertThatThrownBy(() -> builder().id(1, -1)).hasMessageContaining("device");
    assertThatThrownBy(() -> builder().revision(256)).hasMessageContaining("revision");
    assertThatThrownBy(() -> builder().classCode(1 << 24)).hasMessageContaining("class code");
    assertThatThrownBy(() -> builder().interruptPin(5)).hasMessageContaining("5");
    for (int vectors : new int[] {0, 3, 64, -1}) {
      assertThatThrownBy(() -> new MsiCapability(vectors))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void aCapabilityCannotLayOutMoreThanItsLength() {
    Capability tooLong =
        new Capability() {
          @Override
          public int id() {
            return 0x09;
          }

          @Override
          public int length() {
            return 8;
          }

          @Override
          public void layOut(ConfigImage image, CapabilityRegisters at) {
            assertThat(at.base()).isEqualTo(0x40);
            assertThatThrownBy(() -> at.read(6, 4)).isInstanceOf(IllegalArgumentException.class);
            image.constant(6, 4, 0);
          }
        };

    assertThatThrownBy(() -> builder().capability(tooLong).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("8 bytes");
  }

  @Test
  void accessesOfAnyAlignmentAreMadeOfTheirBytes() {
    ConfigSpace space = builder().build();
    space.write(0x03, 2, 0xffff);
    space.write(0x05, 1, 0x01);

    assertThat(space.read(0x03, 1)).as("read-only device id").isEqualTo(0xab);
    assertThat(space.read(0x04, 2)).isEqualTo(0x147);
    assertThat(space.read(0x01, 3)).isEqualTo(0xab_cd12);
  }

  @Test
  void accessesOutsideTheSpaceAreRefused() {
    ConfigSpace space = builder().build();

    assertThatThrownBy(() -> space.read(4095, 2)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> space.read(-1, 1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> space.write(0, 9, 0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> space.write(0, 0, 0)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void hooksOfCommandSeeEveryChangeOfIt() {
    List<Command> seen = new ArrayList<>();
    ConfigSpace space = builder().onCommand(seen::add).build();
    space.write(0x00, 4, -1);
    assertThat(seen).as("not touched").isEmpty();

    space.write(0x04, 2, 0b111);
    space.write(0x05, 1, 0b100);
    space.reset();

    assertThat(seen)
        .containsExactly(new Command(0b111), new Command(0x400 | 0b111), new Command(0));
    assertThat(seen.get(1).ioSpace()).isTrue();
    assertThat(seen.get(1).memorySpace()).isTrue();
    assertThat(seen.get(1).busMaster()).isTrue();
    assertThat(seen.get(1).intxDisabled()).isTrue();
    assertThat(seen.get(2).busMaster()).isFalse();
  }

  @Test
  void resetBringsEverythingBack() {
    ConfigSpace space =
        builder()
            .bar(Bar.memory32(0, 4096, NOTHING))
            .capability(new MsiCapability(1))
            .capability(new PcieCapability(PcieCapability.Type.ENDPOINT))
            .build();
    byte[] before = bytes(space);
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 2000; i++) {
      space.write(random.nextInt(256), 1, random.nextInt(256));
    }
    assertThat(bytes(space)).isNotEqualTo(before);

    space.reset();

    assertThat(bytes(space)).isEqualTo(before);
  }

  private static byte[] bytes(ConfigSpace space) {
    byte[] bytes = new byte[ConfigSpace.SIZE];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) space.read(i, 1);
    }
    return bytes;
  }
}
