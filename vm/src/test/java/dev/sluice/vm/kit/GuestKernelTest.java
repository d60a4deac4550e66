package dev.sluice.vm.kit;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GuestKernelTest {
  @TempDir private Path folder;

  @Test
  void aKernelTellsItsVersionAndItsModulesAreFoundBesideIt() throws IOException {
    Path image = bzImage("HdrS", "9.9.9-test (me@here) #1 SMP\0");
    assertThat(GuestKernel.ofUser(image)).isEqualTo(new GuestKernel(image, "9.9.9-test", none()));
    Files.createDirectory(folder.resolve("kernel"));
    assertThat(GuestKernel.ofUser(image).modules()).contains(folder);
  }

  @Test
  void aVersionThatIsAPathIsNone() throws IOException {
    Path image = bzImage("HdrS", "../../../etc (me@here) #1\0");
    assertThat(GuestKernel.ofUser(image)).isEqualTo(new GuestKernel(image, "", none()));
  }

  @Test
  void whatIsNoKernelIsRefusedWithAdvice() throws IOException {
    Path other = bzImage("nope", "9.9.9 x\0");
    Path small = Files.writeString(folder.resolve("small"), "x");
    for (Path path : new Path[] {other, small, folder, folder.resolve("missing")}) {
      assertThatThrownBy(() -> GuestKernel.ofUser(path))
          .isInstanceOfSatisfying(
              KitException.class, e -> assertThat(e.advice()).contains("--kernel"))
          .hasMessageContaining(path.toString());
    }
  }

  private static Optional<Path> none() {
    return Optional.empty();
  }

  private Path bzImage(String magic, String version) throws IOException {
    ByteBuffer image = ByteBuffer.allocate(0x2000).order(ByteOrder.LITTLE_ENDIAN);
    image.put(0x202, magic.getBytes(US_ASCII));
    image.putShort(0x20e, (short) 0x1000);
    image.put(0x1200, version.getBytes(US_ASCII));
    return Files.write(folder.resolve("vmlinuz"), image.array());
  }
}
