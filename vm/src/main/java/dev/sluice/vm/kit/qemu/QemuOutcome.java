package dev.sluice.vm.kit.qemu;

import java.time.Duration;
import java.util.List;

/// How a QEMU ended.
///
/// @param kind in one word
/// @param status QEMU's exit status; 128 and the signal's number if a signal ended it
/// @param runTime from its start to its end
/// @param console the last lines of the guest's console
/// @param errors the last lines that QEMU itself wrote to its standard error
public record QemuOutcome(
    Kind kind, int status, Duration runTime, List<String> console, List<String> errors) {

  /// Ways to end.
  public enum Kind {
    /// The guest powered off, or rebooted, which ends the machine too.
    POWERED_OFF,
    /// The guest's kernel panicked.
    PANICKED,
    /// Nothing came for longer than [QemuLimits#silence], and it was killed.
    SILENT,
    /// It ran for longer than [QemuLimits#deadline], and was killed.
    DEADLINE,
    /// [QemuProcess#stop] or [QemuProcess#close] ended it.
    STOPPED,
    /// Someone else's signal ended it.
    KILLED,
    /// KVM met an instruction of the guest's that it cannot execute here, and it was killed.
    KVM_FAILED,
    /// It gave up by itself: a bad option, a socket without a server.
    FAILED
  }

  /// @param kind see the class
  /// @param status see the class
  /// @param runTime see the class
  /// @param console see the class
  /// @param errors see the class
  public QemuOutcome {
    console = List.copyOf(console);
    errors = List.copyOf(errors);
  }

  /// One sentence for a user.
  public String sentence() {
    double seconds = runTime.toMillis() / 1000.0;
    return switch (kind) {
      case POWERED_OFF -> "the guest powered off after %.1f s".formatted(seconds);
      case PANICKED -> "the guest's kernel panicked after %.1f s".formatted(seconds);
      case SILENT ->
          "the guest hangs: it said nothing more and was ended after %.1f s".formatted(seconds);
      case DEADLINE ->
          "the guest did not come to its end and was ended after %.1f s".formatted(seconds);
      case STOPPED -> "the guest was stopped after %.1f s".formatted(seconds);
      case KILLED ->
          "QEMU was killed from outside by signal %d after %.1f s".formatted(status - 128, seconds);
      case KVM_FAILED ->
          "KVM cannot run this guest here; it was ended after %.1f s".formatted(seconds);
      case FAILED -> "QEMU gave up with status %d after %.1f s".formatted(status, seconds);
    };
  }

  /// The sentence, and below it the last words of the console and of QEMU itself.
  public String description() {
    StringBuilder text = new StringBuilder(sentence());
    if (!errors.isEmpty()) {
      text.append("\nQEMU said:\n  ").append(String.join("\n  ", errors));
    }
    if (!console.isEmpty()) {
      text.append("\nThe guest's console ends with:\n  ").append(String.join("\n  ", console));
    }
    return text.toString();
  }
}
