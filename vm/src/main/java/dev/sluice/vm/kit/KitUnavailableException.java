package dev.sluice.vm.kit;

/// This machine cannot supply the kit at all, whatever its network and disks: no Debian packages,
/// no apt, another architecture. Another try would fail as well.
public final class KitUnavailableException extends KitException {
  private static final long serialVersionUID = 1L;

  KitUnavailableException(String message, String advice) {
    super(message, advice);
  }
}
