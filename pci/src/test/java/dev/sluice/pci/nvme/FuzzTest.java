package dev.sluice.pci.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A guest that writes nonsense, the same nonsense in each run.
class FuzzTest {
  private static final int INTERNAL_ERROR = 0x006;
  private static final int COMMANDS = 4000;

  @TempDir Path folder;

  private NvmeGuest guest() throws IOException {
    Path image = folder.resolve("disk");
    Files.write(image, new byte[1 << 20]);
    return new NvmeGuest(FileBackend.open(image, true)).enable();
  }

  /// Random bytes, with fields drawn towards what leads deep into the controller.
  private static Command random(SplittableRandom random, int[] opcodes, long memory) {
    byte[] bytes = new byte[64];
    random.nextBytes(bytes);
    ByteBuffer entry = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    Command command = new Command(opcodes[random.nextInt(opcodes.length)]);
    command.flags(random.nextInt(4) == 0 ? bytes[1] : random.nextInt(3) << 6 & 0xc0);
    command.namespace(random.nextInt(8) == 0 ? entry.getInt(4) : 1);
    long first = random.nextInt(4) == 0 ? entry.getLong(24) : address(random, memory);
    long second = random.nextInt(4) == 0 ? entry.getLong(32) : address(random, memory);
    command.prp(first, second);
    for (int dword = 10; dword < 16; dword++) {
      boolean wild = random.nextInt(4) == 0;
      command.dword(dword, wild ? entry.getInt(4 * dword) : random.nextInt(64));
    }
    return command;
  }

  private static long address(SplittableRandom random, long memory) {
    return memory + random.nextInt(64 * 4096) & (random.nextBoolean() ? ~0xfffL : ~3L);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void randomIoCommandsAreAllAnsweredAndNoneFindsADefect(long seed) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    int[] opcodes = {0, 1, 2, 5, 8, 9, 9, 0x10, 0xff};
    try (NvmeGuest guest = guest()) {
      NvmeGuest.Queue queue = guest.createQueues(1, 64);
      long memory = guest.pages(64);
      scribble(guest, random, memory);
      for (int i = 0; i < COMMANDS; i++) {
        Completion completion = queue.run(random(random, opcodes, memory));
        assertThat(completion.status()).as("command %d", i).isNotEqualTo(INTERNAL_ERROR);
      }
      assertThat(guest.admin(Command.getFeature(6)).status()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void randomAdminCommandsLeaveAControllerThatCanBeReset(long seed) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    int[] opcodes = {0, 1, 2, 4, 5, 6, 8, 9, 10, 0x7f};
    try (NvmeGuest guest = guest()) {
      long memory = guest.pages(64);
      for (int i = 0; i < COMMANDS; i++) {
        Completion completion = guest.admin(random(random, opcodes, memory));
        assertThat(completion.status()).as("command %d", i).isNotEqualTo(INTERNAL_ERROR);
      }
      guest.disable();
      guest.enable();
      assertThat(guest.createQueues(1, 8).run(Command.flush()).status()).isZero();
    }
  }

  @Test
  void randomRegisterWritesRaiseNothingAndAResetRecovers() throws IOException {
    SplittableRandom random = new SplittableRandom(4);
    try (NvmeGuest guest = guest()) {
      guest.createQueues(1, 8);
      for (int i = 0; i < 20_000; i++) {
        int size = 1 << random.nextInt(4);
        long offset =
            random.nextBoolean() ? random.nextInt(0x40) : 0x1000 + random.nextInt(0x1000 - 8);
        guest.registers.write(offset, size, random.nextLong());
        guest.registers.read(random.nextInt(0x2000 - 8), size);
      }
      guest.resetFunction();
      guest.controller.config().write(0x04, 2, 0b110);
      guest.reusePages();
      guest.enable();
      assertThat(guest.admin(Command.getFeature(6)).status()).isZero();
    }
  }

  @Test
  void randomDoorbellsOnRandomQueuesRaiseNothing() throws IOException {
    SplittableRandom random = new SplittableRandom(5);
    List<LogRecord> defects = new ArrayList<>();
    Logger logger = Logger.getLogger(CommandRunner.class.getName());
    Handler recorder = new Recorder(defects);
    logger.addHandler(recorder);
    try (NvmeGuest guest = guest()) {
      guest.createQueues(1, 64);
      NvmeGuest.Queue queue = guest.queue(1);
      scribble(guest, random, queue.submissions);
      for (int i = 0; i < 5000; i++) {
        guest.registers.write(0x1008 + 4 * random.nextInt(2), 4, random.nextInt(64));
      }
      guest.disable();
    } finally {
      logger.removeHandler(recorder);
    }

    assertThat(defects)
        .noneMatch(record -> record.getLevel().intValue() >= Level.SEVERE.intValue());
  }

  private static final class Recorder extends Handler {
    private final List<LogRecord> records;

    private Recorder(List<LogRecord> records) {
      this.records = records;
    }

    @Override
    public synchronized void publish(LogRecord record) {
      records.add(record);
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  /// Fills pages with addresses of those pages, some of them bad, so that lists lead somewhere.
  private static void scribble(NvmeGuest guest, SplittableRandom random, long memory) {
    for (int i = 0; i < 16 * 512; i++) {
      guest.pokeLong(
          memory + 8L * i, random.nextInt(8) == 0 ? random.nextLong() : address(random, memory));
    }
  }
}
