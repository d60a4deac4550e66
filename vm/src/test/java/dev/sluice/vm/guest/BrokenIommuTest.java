package dev.sluice.vm.guest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Invalidator;
import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.Word;
import dev.sluice.models.vtd.VtdConfig;
import dev.sluice.pci.BarHandler;
import dev.sluice.vm.guest.TestBoot.Result;
import dev.sluice.vm.kit.linux.GuestParameters;
import dev.sluice.vm.kit.linux.GuestParameters.Invalidation;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Each check about the IOMMU fails on an IOMMU that is broken for it.
class BrokenIommuTest {
  private static final int EXTENDED_CAPABILITY = 0x10;
  private static final int GLOBAL_COMMAND = 0x18;
  private static final int FAULT_CONTROL = 0x38;
  private static final int QUEUE_TAIL = 0x88;
  private static final int QUEUE_ADDRESS = 0x90;

  @TempDir private Path folder;

  private TestBoot boot() throws Exception {
    return new TestBoot(folder);
  }

  /// For an IOMMU that never does something.
  private TestBoot impatientBoot() throws Exception {
    return boot().impatient();
  }

  @Test
  void withoutFirmwaresTableNoUnitIsFoundAndNothingElseIsTried() throws Exception {
    Result result = boot().withoutIommu().asked(GuestParameters.Iommu.VTD).run();

    assertThat(result.check("dmar-unit").detail()).isEqualTo("firmware has no DMAR table");
    assertThat(result.failed()).hasSameSizeAs(result.checks());
    assertThat(result.check("dma-fault").detail()).isEqualTo("not tried, because of dmar-unit");
  }

  @Test
  void aTableThatNamesTheWrongAddressFindsNoUnit() throws Exception {
    byte[] table = DriverBench.dmarTable();
    table[12 + 10] ^= 1;

    assertThat(boot().dmarTable(table).run().check("dmar-unit").detail())
        .isEqualTo("no remapping hardware answers at 0xfed80000");
  }

  @Test
  void aUnitWithoutAQueueFailsQueuedInvalidation() throws Exception {
    Result result =
        boot()
            .registers(inner ->
                new Registers(inner) {
                  @Override
                  public long read(long offset, int size) {
                    long value = super.read(offset, size);
                    return offset == EXTENDED_CAPABILITY ? value & ~2L : value;
                  }
                })
            .run();

    assertThat(result.check("dmar-unit").passed()).isTrue();
    assertThat(result.check("queued-invalidation").detail())
        .isEqualTo("the remapping hardware has no invalidation queue");
  }

  @Test
  void aQueueThatIsNeverWorkedOffFailsQueuedInvalidation() throws Exception {
    Result result = impatientBoot().registers(inner -> new Deaf(inner, QUEUE_TAIL)).run();

    assertThat(result.check("queued-invalidation").detail())
        .isEqualTo(
            "the invalidation queue did not complete its descriptors from 0 to 1 within 1000 ms");
  }

  @Test
  void aUnitThatDoesNotSwitchTranslationOnFailsTheGroup() throws Exception {
    Result result =
        impatientBoot()
            .registers(inner ->
                new Registers(inner) {
                  @Override
                  public void write(long offset, int size, long value) {
                    super.write(
                        offset, size, offset == GLOBAL_COMMAND ? value & 0x7FFF_FFFF : value);
                  }
                })
            .run();

    assertThat(result.check("iommu-group").detail())
        .isEqualTo("bit 31 of GSTS did not become 1 within 1000 ms");
    assertThat(result.check("disk-found").detail()).isEqualTo("not tried, because of iommu-group");
  }

  @Test
  void aDiskThatTheTableDoesNotNameFailsTheGroup() throws Exception {
    byte[] table = DriverBench.dmarTable();
    table[12 + 16 + 6] = 9;

    Result result = boot().dmarTable(table).run();

    assertThat(result.failed()).contains("iommu-group");
  }

  @Test
  void aUnitThatSaysItTranslatesAndDoesNotFailsTheDiskAndLetsTheDmaThrough() throws Exception {
    Result result = impatientBoot().model(PassThrough::new).run();

    assertThat(result.check("iommu-group").passed()).isFalse();
    assertThat(result.failed())
        .contains("disk-found", "disk-read", "disk-write", "rebind", "dma-blocked", "dma-fault");
  }

  @ParameterizedTest
  @EnumSource(Invalidation.class)
  void invalidationsThatAreNotDoneShowInTheDisksContents(Invalidation invalidation)
      throws Exception {
    AtomicReference<GuestMemory> memory = new AtomicReference<>();

    Result result =
        impatientBoot()
            .invalidation(invalidation)
            .hardware(hardware -> {
              memory.set(hardware.memory());
              return hardware;
            })
            .registers(inner -> new Forgetful(inner, memory))
            .run();

    assertThat(result.check("queued-invalidation").passed()).isTrue();
    assertThat(result.failed()).contains("disk-read", "disk-write");
  }

  @Test
  void aLazyGuestFailsTheGroupWhereCachingModeForcesItToBeStrict() throws Exception {
    Result result =
        boot()
            .invalidation(Invalidation.LAZY)
            .config(VtdConfig.DEFAULT.withCachingMode(true))
            .run();

    assertThat(result.failed()).containsExactly("iommu-group");
    assertThat(result.check("iommu-group").detail())
        .isEqualTo("00:05.0 is in a group of type DMA, expected DMA-FQ");
  }

  @Test
  void aFaultThatNobodyMeantFailsTheLog() throws Exception {
    Result result = boot().model(Noisy::new).run();

    assertThat(result.failed()).containsExactly("kernel-log", "dma-fault");
    assertThat(result.check("kernel-log").detail()).contains("DRHD: handling fault status");
    assertThat(result.check("dma-fault").detail())
        .startsWith("a DMAR fault of another device: [DMA Read NO_PASID]");
  }

  @Test
  void aDmaThatArrivesAlthoughItIsReportedFailsBlocked() throws Exception {
    Result result =
        boot()
            .model(inner ->
                new Model(inner) {
                  @Override
                  public Translation translate(Endpoint endpoint, long iova, Access access) {
                    Translation found = super.translate(endpoint, iova, access);
                    if (found instanceof Translation.Fault fault && iova == TestBoot.CANARY) {
                      report(endpoint, iova, access, fault);
                      return PassThrough.page(iova);
                    }
                    return found;
                  }
                })
            .run();

    assertThat(result.failed()).containsExactly("dma-blocked");
  }

  @Test
  void aFaultThatIsNotReportedFails() throws Exception {
    Result result =
        impatientBoot()
            .model(inner ->
                new Model(inner) {
                  @Override
                  public void report(
                      Endpoint endpoint, long iova, Access access, Translation.Fault fault) {}
                })
            .run();

    assertThat(result.failed()).containsExactly("dma-fault");
    assertThat(result.check("dma-fault").detail())
        .isEqualTo("no DMAR fault of 00:06.0 within 1000 ms");
  }

  @Test
  void aFaultThatNoInterruptAnnouncesFails() throws Exception {
    Result result = impatientBoot().registers(inner -> new Deaf(inner, FAULT_CONTROL)).run();

    assertThat(result.failed()).containsExactly("dma-fault");
    assertThat(result.check("dma-fault").detail())
        .isEqualTo("a fault is recorded, but no interrupt announced it");
  }

  @ParameterizedTest
  @CsvSource({"4096, WRITE, 5", "0, READ, 5", "0, WRITE, 6"})
  void aFaultWithTheWrongAddressDirectionOrReasonFails(int shift, Access direction, int reason)
      throws Exception {
    Result result =
        boot()
            .model(inner ->
                new Model(inner) {
                  @Override
                  public void report(
                      Endpoint endpoint, long iova, Access access, Translation.Fault fault) {
                    super.report(
                        endpoint,
                        iova + shift,
                        direction,
                        new Translation.Fault(fault.reason(), reason, true));
                  }
                })
            .run();

    assertThat(result.failed()).containsExactly("dma-fault");
    assertThat(result.check("dma-fault").detail()).startsWith("expected [DMA Write");
  }

  @Test
  void aGuestThatWantsNoIommuSeesThatThereIsOne() throws Exception {
    Result result = boot().asked(GuestParameters.Iommu.NONE).run();

    assertThat(result.check("no-iommu").detail())
        .isEqualTo("firmware has a DMAR table, but no IOMMU was asked for");
  }

  private static class Registers implements BarHandler {
    private final BarHandler inner;

    Registers(BarHandler inner) {
      this.inner = inner;
    }

    @Override
    public long read(long offset, int size) {
      return inner.read(offset, size);
    }

    @Override
    public void write(long offset, int size, long value) {
      inner.write(offset, size, value);
    }
  }

  /// Loses writes to one register.
  private static final class Deaf extends Registers {
    private final int deafTo;

    Deaf(BarHandler inner, int deafTo) {
      super(inner);
      this.deafTo = deafTo;
    }

    @Override
    public void write(long offset, int size, long value) {
      if (offset != deafTo) {
        super.write(offset, size, value);
      }
    }
  }

  /// Does as if IOTLB invalidations were done: makes each a context-cache invalidation of a
  /// function that does not exist.
  private static final class Forgetful extends Registers {
    private static final long CONTEXT_OF_NOBODY = 0xFFFF_0000_0031L;
    private final AtomicReference<GuestMemory> memory;
    private long queue;

    Forgetful(BarHandler inner, AtomicReference<GuestMemory> memory) {
      super(inner);
      this.memory = memory;
    }

    @Override
    public void write(long offset, int size, long value) {
      if (offset == QUEUE_ADDRESS) {
        queue = value;
      }
      if (offset == QUEUE_TAIL) {
        for (int i = 0; i < 256; i++) {
          spoil(queue + i * 16L);
        }
      }
      super.write(offset, size, value);
    }

    private void spoil(long descriptor) {
      Word word = new Word();
      var _ = memory.get().load(descriptor, 8, ByteOrder.LITTLE_ENDIAN, word);
      if ((word.asLong() & 0xF) == 2) {
        var _ = memory.get().store(descriptor, 8, ByteOrder.LITTLE_ENDIAN, CONTEXT_OF_NOBODY);
      }
    }
  }

  private static class Model implements Iommu {
    private final Iommu inner;

    Model(Iommu inner) {
      this.inner = inner;
    }

    @Override
    public Invalidator invalidator() {
      return inner.invalidator();
    }

    @Override
    public Translation translate(Endpoint endpoint, long iova, Access access) {
      return inner.translate(endpoint, iova, access);
    }

    @Override
    public void report(Endpoint endpoint, long iova, Access access, Translation.Fault fault) {
      inner.report(endpoint, iova, access, fault);
    }

    @Override
    public void interrupt(Endpoint endpoint, long address, int data) {
      inner.interrupt(endpoint, address, data);
    }
  }

  /// Takes every address for a physical one.
  private static final class PassThrough extends Model {
    PassThrough(Iommu inner) {
      super(inner);
    }

    static Translation.Page page(long iova) {
      return new Translation.Page(iova & -4096, iova & -4096, 12, true, true, 0);
    }

    @Override
    public Translation translate(Endpoint endpoint, long iova, Access access) {
      return page(iova);
    }
  }

  /// Reports a fault of the disk that did not happen.
  private static final class Noisy extends Model {
    private boolean reported;

    Noisy(Iommu inner) {
      super(inner);
    }

    @Override
    public synchronized Translation translate(Endpoint endpoint, long iova, Access access) {
      if (!reported && endpoint.requester().equals(DriverBench.DISK)) {
        reported = true;
        report(
            endpoint,
            0x5000,
            Access.READ,
            new Translation.Fault(dev.sluice.iommu.AbortReason.NO_READ, 6, true));
      }
      return super.translate(endpoint, iova, access);
    }
  }
}
