package dev.sluice.vm.kit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KitCacheTest {
  @TempDir private Path folder;
  private KitCache cache;

  @BeforeEach
  void makeCache() {
    cache = new KitCache(folder.resolve("cache"));
  }

  @Test
  void theCacheIsWhereTheEnvironmentSays() {
    Path home = Path.of("/home/a");
    assertThat(KitCache.standard(Map.of(), home).root())
        .isEqualTo(Path.of("/home/a/.cache/sluice"));
    Map<String, String> xdg = Map.of("XDG_CACHE_HOME", "/x");
    assertThat(KitCache.standard(xdg, home).root()).isEqualTo(Path.of("/x/sluice"));
    Map<String, String> both = Map.of("XDG_CACHE_HOME", "/x", "SLUICE_CACHE", "/s");
    assertThat(KitCache.standard(both, home).root()).isEqualTo(Path.of("/s"));
    assertThat(KitCache.standard(Map.of("HOME", "/home/b"), home).root())
        .isEqualTo(Path.of("/home/b/.cache/sluice"));
    Map<String, String> relative = Map.of("XDG_CACHE_HOME", "x");
    assertThat(KitCache.standard(relative, home).root())
        .isEqualTo(Path.of("/home/a/.cache/sluice"));
  }

  @Test
  void anEntryAppearsOnlyWhenItIsWhole() throws Exception {
    Path entry =
        cache.install(
            "qemu_1",
            temporary -> {
              Files.writeString(temporary.resolve("file"), "x");
              assertThat(cache.entry("qemu_1")).isEmpty();
            });
    assertThat(cache.entry("qemu_1")).contains(entry);
    assertThat(entry.resolve("file")).hasContent("x");
  }

  @Test
  void whatWasHalfDoneIsDoneAgain() throws Exception {
    KitCache.Filler broken =
        temporary -> {
          Files.writeString(temporary.resolve("half"), "x");
          throw new IOException("disk full");
        };
    assertThatThrownBy(() -> cache.install("qemu_1", broken)).hasMessage("disk full");
    assertThat(cache.entry("qemu_1")).isEmpty();
    // A process that was killed leaves its temporary folder behind.
    Files.createDirectories(cache.root().resolve("tmp/qemu_1/left/over"));
    Path entry =
        cache.install("qemu_1", temporary -> Files.writeString(temporary.resolve("whole"), "x"));
    assertThat(entry).isDirectoryContaining(file -> file.endsWith("whole"));
    assertThat(entry.resolve("left")).doesNotExist();
  }

  @Test
  void aWholeEntryIsNotMadeAgain() throws Exception {
    AtomicInteger fills = new AtomicInteger();
    cache.install("kernel", _ -> fills.incrementAndGet());
    cache.install("kernel", _ -> fills.incrementAndGet());
    assertThat(fills).hasValue(1);
  }

  @Test
  void oneThreadAtATimeHoldsTheLock() throws Exception {
    AtomicInteger inside = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    CountDownLatch done = new CountDownLatch(4);
    for (int i = 0; i < 4; i++) {
      Thread.ofVirtual()
          .start(() -> {
            try (KitCache.Lock _ = cache.lock(KitProgress.SILENT)) {
              most.accumulateAndGet(inside.incrementAndGet(), Math::max);
              inside.decrementAndGet();
            } catch (IOException | InterruptedException e) {
              most.set(Integer.MAX_VALUE);
            } finally {
              done.countDown();
            }
          });
    }
    done.await();
    assertThat(most).hasValue(1);
  }

  @Test
  void aNameThatWouldLeadOutOfTheCacheIsRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> cache.entry("../etc"));
    assertThatIllegalArgumentException().isThrownBy(() -> cache.entry(".."));
    assertThatIllegalArgumentException().isThrownBy(() -> cache.entry(""));
  }

  @Test
  void aFileWhereTheCacheShouldBeIsExplained() throws IOException {
    Files.writeString(folder.resolve("cache"), "a file");
    assertThatThrownBy(() -> cache.lock(KitProgress.SILENT))
        .isInstanceOfSatisfying(
            KitException.class, e -> assertThat(e.advice()).contains("SLUICE_CACHE"));
  }

  @Test
  void moreThanTheDiskHasIsRefusedWithBothNumbers() {
    assertThatThrownBy(() -> cache.requireFree(Long.MAX_VALUE))
        .isInstanceOf(KitException.class)
        .hasMessageMatching(".* has \\d+ MB free, about \\d+ MB are needed");
  }

  @Test
  void deletingATreeLeavesWhatItsLinksPointTo() throws IOException {
    Path outside = Files.writeString(folder.resolve("outside"), "x");
    Path tree = Files.createDirectories(folder.resolve("tree/deep"));
    Files.createSymbolicLink(tree.resolve("link"), outside);
    KitCache.deleteTree(folder.resolve("tree"));
    assertThat(folder.resolve("tree")).doesNotExist();
    assertThat(outside).exists();
  }
}
