package dev.sluice.testkit.vfiouser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.vfiouser.transport.Attachment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// DEVICE_SET_IRQS, and the interrupts that follow.
class SetIrqsTest extends ServerTest {
  private static final int SET_IRQS = 8;
  private static final int INTX = 0;
  private static final int MSI = 1;
  private static final int MSIX = 2;
  private static final int ERR = 3;
  private static final int REQ = 4;

  private static final int ATTACH = 0x24;
  private static final int DISABLE = 0x21;
  private static final int FIRE_ALL = 0x21;
  private static final int FIRE_SOME = 0x22;
  private static final int MASK = 0x09;
  private static final int UNMASK = 0x11;
  private static final int UNMASK_BY_EVENT = 0x14;

  private List<ClientEvent> attach(int index, int start, int count) throws Exception {
    List<ClientEvent> events = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      events.add(event());
    }
    Attachment[] attachments =
        events.stream().map(ClientEvent::attachment).toArray(Attachment[]::new);
    assertDone(client.setIrqs(ATTACH, index, start, count, attachments), 0);
    return events;
  }

  @Test
  void aVectorOfMsixSignalsItsEventAndNoOther() throws Exception {
    List<ClientEvent> events = attach(MSIX, 0, 16);
    server.interrupts().signal(3);
    server.interrupts().signal(3);
    server.interrupts().signal(15);
    for (int i = 0; i < 16; i++) {
      assertThat(events.get(i).take()).as("vector " + i).isEqualTo(i == 3 ? 2 : i == 15 ? 1 : 0);
    }
  }

  @Test
  void moreVectorsThanOneMessageCarriesComeInTwo() throws Exception {
    attach(MSIX, 0, 16);
    List<ClientEvent> rest = attach(MSIX, 16, 4);
    server.interrupts().signal(19);
    assertThat(rest.get(3).take()).isEqualTo(1);
  }

  @Test
  void anEventIsReplacedByTheNext() throws Exception {
    ClientEvent old = attach(MSIX, 1, 1).getFirst();
    ClientEvent now = attach(MSIX, 1, 1).getFirst();
    server.interrupts().signal(1);
    assertThat(old.take()).isZero();
    assertThat(now.take()).isEqualTo(1);
  }

  @Test
  void aRangeWithoutEventsHasNoneAfterwards() throws Exception {
    List<ClientEvent> events = attach(MSIX, 0, 3);
    assertDone(client.setIrqs(ATTACH, MSIX, 1, 1), 0);
    for (int vector = 0; vector < 3; vector++) {
      server.interrupts().signal(vector);
    }
    assertThat(events.get(0).take()).isEqualTo(1);
    assertThat(events.get(1).take()).isZero();
    assertThat(events.get(2).take()).isEqualTo(1);
  }

  @Test
  void disablingAKindTakesAllItsEvents() throws Exception {
    List<ClientEvent> events = attach(MSIX, 0, 2);
    assertDone(client.setIrqs(DISABLE, MSIX, 0, 0), 0);
    server.interrupts().signal(0);
    assertThat(events.get(0).take()).isZero();
    assertDone(client.setIrqs(DISABLE, INTX, 0, 0), 0);
  }

  @Test
  void msiCarriesTheInterruptWhenMsixDoesNot() throws Exception {
    ClientEvent msi = attach(MSI, 2, 1).getFirst();
    server.interrupts().signal(2);
    assertThat(msi.take()).isEqualTo(1);
    ClientEvent msix = attach(MSIX, 2, 1).getFirst();
    server.interrupts().signal(2);
    assertThat(msi.take()).isZero();
    assertThat(msix.take()).isEqualTo(1);
  }

  @Test
  void theClientCanFireVectorsItself() throws Exception {
    List<ClientEvent> events = attach(MSIX, 0, 4);
    assertDone(client.setIrqs(FIRE_ALL, MSIX, 1, 2), 0);
    assertThat(events.get(0).take()).isZero();
    assertThat(events.get(1).take()).isEqualTo(1);
    assertThat(events.get(2).take()).isEqualTo(1);
    byte[] some =
        new Payload()
            .bytes(VfioUserClient.irqs(FIRE_SOME, MSIX, 0, 4))
            .bytes((byte) 1, (byte) 0, (byte) 0, (byte) 7)
            .toBytes();
    assertDone(client.call(SET_IRQS, some), 0);
    assertThat(events.get(0).take()).isEqualTo(1);
    assertThat(events.get(1).take()).isZero();
    assertThat(events.get(3).take()).isEqualTo(1);
  }

  @Test
  void anErrorAndAWishToBeReleasedHaveEventsOfTheirOwn() throws Exception {
    assertThat(server.reportError()).isFalse();
    ClientEvent error = attach(ERR, 0, 1).getFirst();
    ClientEvent release = attach(REQ, 0, 1).getFirst();
    assertThat(server.reportError()).isTrue();
    assertThat(server.requestRelease()).isTrue();
    assertThat(error.take()).isEqualTo(1);
    assertThat(release.take()).isEqualTo(1);
  }

  @Test
  void anAssertedPinFiresOnceUntilItIsUnmasked() throws Exception {
    ClientEvent pin = attach(INTX, 0, 1).getFirst();
    server.interrupts().pin(true);
    server.interrupts().pin(true);
    assertThat(pin.take()).isEqualTo(1);
    assertDone(client.setIrqs(UNMASK, INTX, 0, 1), 0);
    assertThat(pin.take()).as("still asserted").isEqualTo(1);
    server.interrupts().pin(false);
    assertDone(client.setIrqs(UNMASK, INTX, 0, 1), 0);
    assertThat(pin.take()).isZero();
  }

  @Test
  void aMaskedPinWaits() throws Exception {
    ClientEvent pin = attach(INTX, 0, 1).getFirst();
    assertDone(client.setIrqs(MASK, INTX, 0, 1), 0);
    server.interrupts().pin(true);
    assertThat(pin.take()).isZero();
    assertDone(client.setIrqs(UNMASK, INTX, 0, 1), 0);
    assertThat(pin.take()).isEqualTo(1);
  }

  @Test
  void thePinIsUnmaskedByASecondEventAsKvmDoes() throws Exception {
    ClientEvent pin = event();
    ClientEvent resample = event();
    assertDone(client.setIrqs(ATTACH, INTX, 0, 1, pin.attachment()), 0);
    assertDone(client.setIrqs(UNMASK_BY_EVENT, INTX, 0, 1, resample.attachment()), 0);
    assertDone(client.setIrqs(UNMASK, INTX, 0, 1), 0);
    server.interrupts().pin(true);
    assertThat(pin.take()).isEqualTo(1);
    resample.signal();
    awaitOne(pin);
    assertAlive();

    assertDone(client.setIrqs(DISABLE, INTX, 0, 0), 0);
    resample.signal();
    assertAlive();
    assertThat(pin.take()).isZero();
  }

  private static void awaitOne(ClientEvent event) {
    await(() -> event.take() > 0);
  }

  @Test
  void aPinThatCommandDisablesFiresWhenItIsEnabledAgain() throws Exception {
    ClientEvent pin = attach(INTX, 0, 1).getFirst();
    client.write(7, 5, (byte) 4);
    server.interrupts().pin(true);
    assertThat(pin.take()).isZero();
    client.write(7, 5, (byte) 0);
    assertThat(pin.take()).isEqualTo(1);
  }

  @Test
  void whatMakesNoSenseIsRefusedAndChangesNothing() throws Exception {
    ClientEvent event = attach(MSIX, 0, 1).getFirst();
    Attachment other = event().attachment();
    assertRefused(client.setIrqs(ATTACH, 5, 0, 1, other), EINVAL);
    assertRefused(client.setIrqs(ATTACH, -1, 0, 1, other), EINVAL);
    assertRefused(client.setIrqs(ATTACH, MSIX, RegisterFunction.VECTORS, 1, other), EINVAL);
    assertRefused(client.setIrqs(ATTACH, MSIX, -1, 2, other, other), EINVAL);
    assertRefused(client.setIrqs(ATTACH, MSIX, 0, 3, other, other), EINVAL);
    assertRefused(client.setIrqs(ATTACH, MSIX, 0, 0), EINVAL);
    assertRefused(client.setIrqs(DISABLE, MSIX, 1, 0), EINVAL);
    assertRefused(client.setIrqs(MASK, MSIX, 0, 1), EINVAL);
    assertRefused(client.setIrqs(0x0c, INTX, 0, 1, other), EINVAL);
    assertRefused(client.setIrqs(ATTACH, INTX, 0, 2, other, other), EINVAL);
    assertRefused(client.setIrqs(0, MSIX, 0, 1), EINVAL);
    assertRefused(client.setIrqs(0x27, MSIX, 0, 1, other), EINVAL);
    assertRefused(client.setIrqs(0x34, MSIX, 0, 1, other), EINVAL);
    assertRefused(client.setIrqs(0x124, MSIX, 0, 1, other), EINVAL);
    assertRefused(client.setIrqs(FIRE_SOME, MSIX, 0, 1), EINVAL);
    assertRefused(client.call(SET_IRQS, new byte[19]), EINVAL);
    server.interrupts().signal(0);
    assertThat(event.take()).isEqualTo(1);
  }

  @Test
  void somethingThatIsNoEventIsRefused() throws Exception {
    ClientEvent first = attach(MSIX, 0, 1).getFirst();
    assertRefused(
        client.setIrqs(ATTACH, MSIX, 0, 2, event().attachment(), memory(4096).attachment()),
        EINVAL);
    server.interrupts().signal(0);
    assertThat(first.take()).isEqualTo(1);
  }

  @Test
  void interruptsAreLostWithoutAnEvent() throws Exception {
    server.interrupts().signal(0);
    server.interrupts().pin(true);
    server.interrupts().pin(false);
    assertThat(attach(MSIX, 0, 1).getFirst().take()).isZero();
    assertThat(attach(INTX, 0, 1).getFirst().take()).isZero();
  }
}
