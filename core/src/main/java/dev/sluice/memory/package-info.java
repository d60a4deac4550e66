/// Guest-physical memory: regions of RAM, ROM and message-only memory that come and go, and loads,
/// stores and copies by guest-physical address.
///
/// Nothing in this package knows a device or a translation. Models read the guest's tables through
/// [dev.sluice.memory.GuestMemory]; devices never see it, they have a DMA context.
@NullMarked
package dev.sluice.memory;

import org.jspecify.annotations.NullMarked;
