package dev.sluice.vfiouser.server;

import dev.sluice.vfiouser.transport.Event;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// The level-triggered interrupt pin, as VFIO makes events of it: an asserted pin fires once and
/// masks itself; when it is unmasked and still asserted, it fires again. The client unmasks by a
/// message, or by signalling a second event (a KVM resample descriptor). Safe for any thread.
final class IntxLine {
  private final BooleanSupplier disabled;
  private @Nullable Event trigger;
  private @Nullable Event resample;
  private boolean asserted;
  private boolean masked;

  /// @param disabled whether COMMAND's interrupt disable bit is set now
  IntxLine(BooleanSupplier disabled) {
    this.disabled = disabled;
  }

  /// What the device says.
  synchronized void pin(boolean now) {
    asserted = now;
    deliver();
  }

  synchronized void mask() {
    masked = true;
  }

  synchronized void unmask() {
    masked = false;
    deliver();
  }

  /// Fires through `event` from now on, or through none; the old one is closed. The pin begins
  /// unmasked.
  synchronized void setTrigger(@Nullable Event event) {
    close(trigger);
    trigger = event;
    masked = false;
    deliver();
  }

  /// The event by which the client unmasks.
  synchronized @Nullable Event resample() {
    return resample;
  }

  /// Unmasks by `event` from now on, or by none; the old one is closed.
  synchronized void setResample(@Nullable Event event) {
    close(resample);
    resample = event;
  }

  /// Looks at the event by which the client unmasks.
  void checkResample() {
    Event event = resample();
    if (event != null && event.take() > 0) {
      unmask();
    }
  }

  /// Fires as if the pin had been asserted, which the client may ask for.
  synchronized void fire() {
    if (trigger != null) {
      trigger.signal();
    }
  }

  /// Fires if everything allows it: after a change of anything.
  synchronized void deliver() {
    if (asserted && !masked && trigger != null && !disabled.getAsBoolean()) {
      masked = true;
      trigger.signal();
    }
  }

  private static void close(@Nullable Event event) {
    if (event != null) {
      event.close();
    }
  }
}
