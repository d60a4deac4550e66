package dev.sluice.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class EventFdTest {
  @Test
  void signalsAddUpUntilTheyAreTaken() throws Exception {
    try (EventFd event = EventFd.create()) {
      assertThat(event.take()).isZero();
      event.signal();
      event.signal();
      assertThat(event.take()).isEqualTo(2);
      assertThat(event.take()).isZero();
    }
  }

  @Test
  void aPollSetSeesWhichEventWasSignalled() throws Exception {
    try (EventFd one = EventFd.create();
        EventFd two = EventFd.create()) {
      PollSet set = new PollSet(3);
      set.set(0, one);
      set.set(2, two);
      assertThat(set.await(0)).isZero();
      two.signal();
      assertThat(set.await(-1)).isEqualTo(0b100);
      one.signal();
      assertThat(set.await(TimeUnit.SECONDS.toNanos(1))).isEqualTo(0b101);
      set.set(2, null);
      assertThat(set.await(-1)).isEqualTo(0b001);
    }
  }

  @Test
  void aSignalAfterTheCloseIsSwallowed() throws Exception {
    EventFd event = EventFd.create();
    event.close();
    event.close();
    event.signal();
    assertThat(event.take()).isZero();
  }

  @Test
  void somethingThatIsNoEventIsRefused() throws Exception {
    try (Fd memory = Memfd.create("no event", 4096)) {
      assertThatThrownBy(() -> EventFd.adopt(memory))
          .isInstanceOfSatisfying(
              SystemCallException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL))
          .hasMessageContaining("memfd:no event");
    }
  }
}
