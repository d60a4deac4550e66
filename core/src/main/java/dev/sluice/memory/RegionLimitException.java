package dev.sluice.memory;

/// More regions than [GuestMemory#MAX_REGIONS] were asked for.
public final class RegionLimitException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  RegionLimitException(int limit) {
    super("guest memory already has " + limit + " regions, the most it may have");
  }
}
