package dev.sluice.host;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class MappedFileTest {
  private Fd memory;

  @BeforeEach
  void create() throws Exception {
    memory = Memfd.create("mapped file test", 4 * 4096);
  }

  @AfterEach
  void close() {
    memory.close();
  }

  @Test
  void twoMappingsShowTheSameBytes() throws Exception {
    try (MappedFile one = MappedFile.map(memory, 0, 4 * 4096, true);
        MappedFile two = MappedFile.map(memory, 4096, 4096, false)) {
      one.segment().set(JAVA_BYTE, 4096 + 5, (byte) 9);
      assertThat(two.segment().get(JAVA_BYTE, 5)).isEqualTo((byte) 9);
    }
  }

  @Test
  void anOffsetInsideAPageIsServedExactly() throws Exception {
    try (MappedFile all = MappedFile.map(memory, 0, 4 * 4096, true);
        MappedFile part = MappedFile.map(memory, 4096 + 100, 5000, true)) {
      all.segment().set(JAVA_BYTE, 4096 + 100, (byte) 1);
      all.segment().set(JAVA_BYTE, 4096 + 100 + 4999, (byte) 2);
      assertThat(part.segment().byteSize()).isEqualTo(5000);
      assertThat(part.segment().get(JAVA_BYTE, 0)).isEqualTo((byte) 1);
      assertThat(part.segment().get(JAVA_BYTE, 4999)).isEqualTo((byte) 2);
    }
  }

  @Test
  void onlyAFileThatNobodyCanShortenLasts() throws Exception {
    assertThat(isLasting(memory)).isFalse();
    Memfd.sealSize(memory);
    assertThat(isLasting(memory)).isTrue();
    assertThatThrownBy(() -> Memfd.resize(memory, 4096))
        .isInstanceOf(SystemCallException.class)
        .hasMessageContaining("EPERM");
  }

  private static boolean isLasting(Fd file) throws SystemCallException {
    try (MappedFile mapped = MappedFile.map(file, 0, 4096, true)) {
      return mapped.isLasting();
    }
  }

  @Test
  void theMappingOutlivesTheDescriptor() throws Exception {
    try (MappedFile mapped = MappedFile.map(memory, 0, 4096, true)) {
      memory.close();
      mapped.segment().set(JAVA_BYTE, 0, (byte) 3);
      assertThat(mapped.segment().get(JAVA_BYTE, 0)).isEqualTo((byte) 3);
    }
  }

  @Test
  void aReadOnlyMappingRefusesWrites() throws Exception {
    try (MappedFile mapped = MappedFile.map(memory, 0, 4096, false)) {
      assertThatThrownBy(() -> mapped.segment().set(JAVA_BYTE, 0, (byte) 3))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void whatLiesBehindTheEndOfTheFileIsRefused() {
    assertThatThrownBy(() -> MappedFile.map(memory, 4096, 4 * 4096, true))
        .isInstanceOf(SystemCallException.class)
        .hasMessageContaining("could not map 16384 bytes at offset 4096")
        .hasMessageContaining("which has 16384 bytes")
        .hasMessageContaining("EINVAL");
  }

  @Test
  void sizesAndOffsetsThatMakeNoSenseAreRefused() {
    for (long[] range :
        new long[][] {
          {0, 0}, {0, -1}, {-4096, 4096}, {Long.MAX_VALUE, 2}, {4096, Long.MAX_VALUE}
        }) {
      assertThatThrownBy(() -> MappedFile.map(memory, range[0], range[1], true))
          .isInstanceOfSatisfying(
              SystemCallException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
    }
  }

  @Test
  void anEventIsNothingToMap() throws Exception {
    try (EventFd event = EventFd.create();
        Fd fd = event.duplicate()) {
      assertThatThrownBy(() -> MappedFile.map(fd, 0, 4096, true))
          .isInstanceOfSatisfying(
              SystemCallException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENODEV));
    }
  }

  @Test
  void aFileCutShortUnderTheMappingIsAnErrorThatCanBeCaught() throws Exception {
    try (MappedFile mapped = MappedFile.map(memory, 0, 4 * 4096, true)) {
      Memfd.resize(memory, 4096);
      assertThatThrownBy(() -> mapped.segment().get(JAVA_BYTE, 2 * 4096))
          .isInstanceOf(InternalError.class);
      assertThatThrownBy(() -> mapped.segment().fill((byte) 1)).isInstanceOf(InternalError.class);
      assertThat(mapped.segment().get(JAVA_BYTE, 0)).isEqualTo((byte) 1);
    }
  }

  @Test
  void closingUnderAReaderEndsItWithAnException() throws Exception {
    MappedFile mapped = MappedFile.map(memory, 0, 4 * 4096, true);
    MemorySegment bytes = mapped.segment();
    CountDownLatch reading = new CountDownLatch(1);
    AtomicReference<Throwable> end = new AtomicReference<>();
    Thread reader =
        Thread.ofPlatform()
            .start(() -> {
              try {
                long sum = 0;
                for (long i = 0; ; i++) {
                  sum += bytes.get(JAVA_BYTE, i & 16383);
                  if (i == 100_000 + (sum & 1)) {
                    reading.countDown();
                  }
                }
              } catch (IllegalStateException e) {
                end.set(e);
              }
            });
    reading.await();
    mapped.close();
    reader.join();
    assertThat(end.get()).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(mapped::close).isInstanceOf(IllegalStateException.class);
  }
}
