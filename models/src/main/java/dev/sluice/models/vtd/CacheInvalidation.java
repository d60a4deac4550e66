package dev.sluice.models.vtd;

import org.jspecify.annotations.Nullable;

/// What the guest asks to be invalidated, VT-d specification 6.5.1 (registers) and 6.5.2.1 to
/// 6.5.2.3 (descriptors).
sealed interface CacheInvalidation {

  /// All context entries.
  record ContextGlobal() implements CacheInvalidation {}

  /// The context entries with a domain id.
  record ContextDomain(int domainId) implements CacheInvalidation {}

  /// The context entries of one to eight functions of a device.
  ///
  /// @param requester with 0 in the bits of `ignored`
  /// @param ignored which bits of the function number do not count
  /// @param domainId the domain id in their context entries
  record ContextDevice(int requester, int ignored, int domainId) implements CacheInvalidation {

    /// By the function mask FM.
    ///
    /// @param mask 0: one function; 1: bit 2 of the function number is ignored; 2: bits 2:1; 3:
    ///   bits 2:0
    static ContextDevice of(int sourceId, int mask, int domainId) {
      int ignored = 0b111 & ~(0b111 >>> mask);
      return new ContextDevice(sourceId & ~ignored, ignored, domainId);
    }

    boolean matches(int requesterId) {
      return (requesterId & ~ignored) == requester;
    }
  }

  /// All translations.
  record IotlbGlobal() implements CacheInvalidation {}

  /// The translations of a domain.
  record IotlbDomain(int domainId) implements CacheInvalidation {}

  /// The translations of a run of pages of a domain.
  ///
  /// @param first first I/O virtual address
  /// @param last last I/O virtual address, inclusive
  /// @param leavesOnly whether the tables that lead to the pages' entries may be kept, as none of
  ///   the entries above those has changed
  record IotlbPages(int domainId, long first, long last, boolean leavesOnly)
      implements CacheInvalidation {
    private static final long HINT = 1L << 6;
    private static final int ADDRESS_MASK = 0x3F;

    /// By IVA_REG, or bits 127:64 of a descriptor, which are laid out alike ([IotlbCommand]).
    /// Address bits above the guest address width are ignored.
    ///
    /// @return null when AM is larger than MAMV
    static @Nullable IotlbPages of(int domainId, long operand) {
      int addressMask = (int) operand & ADDRESS_MASK;
      if (addressMask > Capabilities.MAXIMUM_ADDRESS_MASK) {
        return null;
      }
      long bytes = 1L << (12 + addressMask);
      long width = (1L << Capabilities.GUEST_ADDRESS_WIDTH) - 1;
      long first = operand & width & -bytes;
      return new IotlbPages(domainId, first, first + bytes - 1, (operand & HINT) != 0);
    }
  }
}
