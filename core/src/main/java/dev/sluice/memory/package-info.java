/// Guest-physical memory: regions of RAM, ROM and message-only memory that come and go while
/// devices run.
///
/// Nothing here translates an address or knows a device's rights; that is `dev.sluice.dma`. An
/// access that the guest's layout cannot serve is a status, never an exception, because the guest
/// chooses the addresses. Addresses are unsigned 64-bit numbers in a `long`.
@NullMarked
package dev.sluice.memory;

import org.jspecify.annotations.NullMarked;
