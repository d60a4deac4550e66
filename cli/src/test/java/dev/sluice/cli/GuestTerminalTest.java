package dev.sluice.cli;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class GuestTerminalTest {
  private static final String END_OF_INPUT = "exit\n";

  private final ByteArrayOutputStream screen = new ByteArrayOutputStream();
  private final CountDownLatch ended = new CountDownLatch(1);
  private final AtomicBoolean stopped = new AtomicBoolean();

  @Test
  void keysReachTheGuestAfterAnEmptyLineThatMakesItsPromptAppear() throws Exception {
    assertThat(typed("ls\r")).isEqualTo("\nls\r" + END_OF_INPUT);
  }

  @Test
  void ctrlCIsTheGuests() throws Exception {
    assertThat(typed("\u0003")).isEqualTo("\n\u0003" + END_OF_INPUT);
  }

  @Test
  void ctrlAxEndsTheGuestAndReachesItNot() throws Exception {
    assertThat(typed("a\u0001xb")).isEqualTo("\na");
    assertThat(stopped).isTrue();
  }

  @Test
  void ctrlATwiceIsOneForTheGuest() throws Exception {
    assertThat(typed("\u0001\u0001x")).isEqualTo("\n\u0001x" + END_OF_INPUT);
    assertThat(stopped).isFalse();
  }

  @Test
  void theGuestIsShownOnlyWhileItHasTheTerminal() {
    GuestTerminal terminal = terminal("");
    terminal.show("before".getBytes(US_ASCII), 6);
    terminal.giveTo(new ByteArrayOutputStream());
    terminal.show("during--".getBytes(US_ASCII), 6);
    terminal.close();
    terminal.show("after".getBytes(US_ASCII), 5);
    assertThat(screen.toString(US_ASCII)).doesNotContain("before", "after").endsWith("\nduring");
  }

  private GuestTerminal terminal(String keys) {
    return new GuestTerminal(
        new ByteArrayInputStream(keys.getBytes(US_ASCII)), screen, false, this::stop);
  }

  private void stop() {
    stopped.set(true);
    ended.countDown();
  }

  /// What the guest gets when a user types these keys and ends the input.
  private String typed(String keys) throws InterruptedException {
    Keys guest = new Keys();
    try (GuestTerminal terminal = terminal(keys)) {
      terminal.giveTo(guest);
      assertThat(ended.await(1, TimeUnit.MINUTES)).isTrue();
    }
    return guest.toString(US_ASCII);
  }

  /// The guest's input, which knows when nothing more can come.
  private final class Keys extends ByteArrayOutputStream {
    @Override
    public synchronized void flush() {
      if (toString(US_ASCII).endsWith(END_OF_INPUT)) {
        ended.countDown();
      }
    }
  }
}
