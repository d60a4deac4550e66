package dev.sluice.vm.kit.qemu;

import dev.sluice.iommu.RequesterId;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// A PCI function that lives behind a vfio-user socket.
///
/// @param socket where its server listens when QEMU starts; at most 107 bytes
/// @param slot where the guest finds it
/// @param writes what a write to the function's registers means to the guest's processor
public record VfioUserDevice(Path socket, RequesterId slot, Writes writes) {
  /// What a guest's processor does after a write to a BAR.
  public enum Writes {
    /// It goes on while the write is on its way: best for doorbells.
    POSTED,
    /// It goes on when the write has been served: best where the guest's next step is to ask
    /// whether what the write began is complete, which is then a message and a wait of its own.
    AWAITED
  }

  /// Longest path of a UNIX socket in bytes: `sun_path` has 108 with its NUL (unix(7)).
  public static final int MAX_SOCKET_PATH = 107;

  /// @throws IllegalArgumentException if the path is too long for a UNIX socket, or the slot is not
  ///   on bus 0
  public VfioUserDevice {
    if (slot.bus() != 0) {
      throw new IllegalArgumentException("only bus 0 is there without a bridge: " + slot);
    }
    int length = socket.toString().getBytes(StandardCharsets.UTF_8).length;
    if (length > MAX_SOCKET_PATH) {
      throw new IllegalArgumentException(
          "the socket's path has %d bytes, a UNIX socket's can have %d: %s"
              .formatted(length, MAX_SOCKET_PATH, socket));
    }
  }

  /// The value of `-device`, as JSON: QEMU takes the nested address in no other form.
  ///
  /// @param multifunction whether the slot's device has functions beside 0
  public String option(boolean multifunction) {
    return ("{\"driver\":\"vfio-user-pci\",\"addr\":\"0x%x.0x%x\",%s%s"
            + "\"socket\":{\"type\":\"unix\",\"path\":\"%s\"}}")
        .formatted(
            slot.device(),
            slot.function(),
            multifunction ? "\"multifunction\":true," : "",
            writes == Writes.AWAITED ? "\"x-no-posted-writes\":true," : "",
            jsonText(socket.toString()));
  }

  private static String jsonText(String text) {
    StringBuilder escaped = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        escaped.append('\\').append(c);
      } else if (c < ' ') {
        escaped.append("\\u%04x".formatted((int) c));
      } else {
        escaped.append(c);
      }
    }
    return escaped.toString();
  }
}
