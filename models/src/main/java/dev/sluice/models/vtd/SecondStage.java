package dev.sluice.models.vtd;

import dev.sluice.models.vtd.ContextEntry.TranslationType;
import org.jspecify.annotations.Nullable;

/// What a context entry says to a walk, taken out of its bits once.
///
/// @param table guest-physical address of the top second-stage table
/// @param levels of the table
/// @param width bits of an I/O virtual address; one with more is refused
/// @param domainId with which translations are tagged
record SecondStage(long table, int levels, int width, int domainId) {

  /// Of a present and valid context entry; null when it does not lead to a second-stage table.
  static @Nullable SecondStage of(ContextEntry entry) {
    return entry.translationType() == TranslationType.SECOND_STAGE
        ? new SecondStage(entry.table(), entry.levels(), width(entry), entry.domainId())
        : null;
  }

  /// Bits of an I/O virtual address that may be set, with a second-stage table or pass-through.
  static int width(ContextEntry entry) {
    return Math.min(Capabilities.GUEST_ADDRESS_WIDTH, entry.addressWidth());
  }
}
