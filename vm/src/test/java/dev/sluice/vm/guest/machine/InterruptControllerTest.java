package dev.sluice.vm.guest.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.vm.guest.machine.InterruptController.Message;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class InterruptControllerTest {
  private final KernelLog log = new KernelLog();
  private final InterruptController interrupts = new InterruptController(log);
  private final Processor processor = new Processor(interrupts, Duration.ofMillis(50));
  private final List<String> taken = new ArrayList<>();

  @Test
  void aMessageRunsTheHandlerOfItsVectorOnTheWaitingThread() throws Exception {
    Thread guest = Thread.currentThread();
    AtomicBoolean onGuest = new AtomicBoolean();
    Message message =
        interrupts.request(
            "device",
            () -> {
              onGuest.set(Thread.currentThread() == guest);
              taken.add("device");
            });
    Thread device = new Thread(() -> interrupts.deliver(message.address(), message.data()));
    device.start();

    processor.await(Duration.ofSeconds(30), () -> !taken.isEmpty());

    device.join();
    assertThat(taken).containsExactly("device");
    assertThat(onGuest).isTrue();
  }

  @Test
  void severalMessagesOfOneVectorThatWaitBecomeOneInterrupt() throws Exception {
    Message message = interrupts.request("device", () -> taken.add("device"));
    interrupts.deliver(message.address(), message.data());
    interrupts.deliver(message.address(), message.data());

    interrupts.takePending();

    assertThat(taken).containsExactly("device");
  }

  @Test
  void messagesForNobodyAreWarnings() throws Exception {
    interrupts.deliver(0xFEE0_0000L, 0x77);
    interrupts.deliver(0x1000, 0x30);

    interrupts.takePending();

    assertThat(log.warnings())
        .containsExactlyInAnyOrder(
            "irq: no handler for vector 119",
            "irq: 1 interrupt messages outside of the interrupt range");
  }

  @Test
  void aConditionThatNeverHoldsEndsTheWaitWithItsName() {
    assertThatThrownBy(() -> processor.await("RDY did not become 1", () -> false))
        .isInstanceOf(HardwareException.class)
        .hasMessage("RDY did not become 1 within 50 ms");
  }

  @Test
  void anInterruptedGuestStopsWaiting() {
    Thread.currentThread().interrupt();

    assertThatThrownBy(() -> processor.await(Duration.ofHours(1), () -> false))
        .isInstanceOf(HardwareException.class)
        .hasMessageContaining("stopped");
    assertThat(Thread.interrupted()).isTrue();
  }
}
