package dev.sluice.models.vtd;

import static dev.sluice.models.vtd.VtdMachine.DEVICE;
import static dev.sluice.models.vtd.VtdMachine.DOMAIN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.TargetAbort;
import dev.sluice.iommu.AbortReason;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// CAP.CM set: what is not there is remembered too, so a guest has to invalidate after it adds
/// something.
class CachingModeTest {
  private static final long A = 0x10_0000;
  private static final long B = 0x20_0000;
  private static final long IOTLB_GLOBAL = 0x12;
  private static final long IOTLB_DOMAIN = 0x22 | (DOMAIN << 16);
  private static final long IOTLB_PAGES = 0x32 | (DOMAIN << 16);

  private final VtdMachine machine = new VtdMachine(VtdConfig.DEFAULT.withCachingMode(true));
  private final GuestTables tables = machine.tables;

  @AfterEach
  void giveMemoryBack() {
    machine.close();
  }

  private boolean touches(long iova) {
    return machine.device.fill(iova, 4, (byte) 1) == null;
  }

  /// Touches A and B while they map nothing, and maps them then.
  private void mapAfterAMiss() {
    long top = tables.translated(DEVICE, GuestTables.WIDTH_48, DOMAIN);
    machine.queued().enabled();
    assertThat(touches(A)).isFalse();
    assertThat(touches(B)).isFalse();
    tables.map(top, 4, 1, A, 0x8_0000, GuestTables.READ_WRITE);
    tables.map(top, 4, 1, B, 0x8_0000, GuestTables.READ_WRITE);
  }

  @Test
  void aPageThatWasAbsentStaysSoUntilItIsInvalidated() {
    mapAfterAMiss();
    assertThat(touches(A)).isFalse();
    machine.submit(IOTLB_PAGES, A);
    assertThat(touches(A)).isTrue();
    assertThat(touches(B)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(longs = {IOTLB_GLOBAL, IOTLB_DOMAIN})
  void widerInvalidationsForgetAbsentPagesToo(long descriptor) {
    mapAfterAMiss();
    machine.submit(IOTLB_DOMAIN + (1 << 16), 0);
    assertThat(touches(A)).isFalse();
    machine.submit(descriptor, 0);
    assertThat(touches(A)).isTrue();
    assertThat(touches(B)).isTrue();
  }

  @Test
  void theFaultIsTheOneOfTheAccess() {
    mapAfterAMiss();
    TargetAbort write = machine.device.fill(A, 4, (byte) 1);
    assertThat(write).isNotNull();
    assertThat(write.faultCode()).isEqualTo(5);
    assertThat(write.reason()).isEqualTo(AbortReason.NOT_MAPPED);
    assertThat(machine.iommu.statistics().walks()).isEqualTo(2);
  }

  @Test
  void aContextEntryThatWasNotPresentStaysSoUntilDomainZeroIsInvalidated() {
    tables.contextEntry(DEVICE, 0, 0);
    machine.queued().enabled();
    assertThat(touches(A)).isFalse();
    long top = tables.translated(DEVICE, GuestTables.WIDTH_48, DOMAIN);
    tables.map(top, 4, 1, A, 0x8_0000, GuestTables.READ_WRITE);
    assertThat(touches(A)).isFalse();
    // As Linux does for a new entry: device-selective, with domain id 0.
    long device = 0x31 | ((long) DEVICE.value() << 32);
    machine.submit(device | (DOMAIN << 16), 0);
    assertThat(touches(A)).isFalse();
    machine.submit(device, 0);
    assertThat(touches(A)).isTrue();
  }

  @Test
  void anErroneousContextEntryIsRememberedWithItsReason() {
    tables.context(DEVICE, 0, tables.page(), 7, DOMAIN);
    machine.queued().enabled();
    assertThat(touches(A)).isFalse();
    tables.contextEntry(DEVICE, 0, 0);
    TargetAbort again = machine.device.fill(A, 4, (byte) 1);
    assertThat(again).isNotNull();
    assertThat(again.faultCode()).isEqualTo(3);
    machine.submit(0x11, 0);
    TargetAbort after = machine.device.fill(A, 4, (byte) 1);
    assertThat(after).isNotNull();
    assertThat(after.faultCode()).isEqualTo(2);
  }

  @Test
  void rememberingHasAnEnd() {
    tables.translated(DEVICE, GuestTables.WIDTH_48, DOMAIN);
    machine.enabled();
    for (long page = 0; page < 3 * AbsentPages.MAX_PAGES; page++) {
      assertThat(touches(page << 12)).isFalse();
    }
    AbsentPages absent = new AbsentPages();
    for (int page = 0; page <= AbsentPages.MAX_PAGES; page++) {
      absent.insert(DOMAIN, (long) page << 12, absent.ticket());
    }
    assertThat(absent.contains(DOMAIN, 0)).isFalse();
    assertThat(absent.contains(DOMAIN, (long) AbsentPages.MAX_PAGES << 12)).isTrue();
  }

  @Test
  void whatAWalkFoundBeforeAnInvalidationIsNotRemembered() {
    AbsentPages absent = new AbsentPages();
    long ticket = absent.ticket();
    absent.dropDomain(DOMAIN + 1);
    absent.insert(DOMAIN, A, ticket);
    assertThat(absent.contains(DOMAIN, A)).isFalse();
    ContextCache contexts = new ContextCache();
    long before = contexts.ticket();
    contexts.dropAll();
    var entry = new ContextCache.Cached(new ContextEntry(1, 2), 0, null);
    assertThat(contexts.insert(1, entry, before)).isFalse();
    assertThat(contexts.lookup(1)).isNull();
  }
}
