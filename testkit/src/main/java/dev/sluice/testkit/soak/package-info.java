/// A soak: devices, guests and invalidators at full speed on all cores, and a shadow copy that
/// knows what every byte may be.
///
/// Start with [dev.sluice.testkit.soak.Soak]. A guest takes a page away from its devices, waits
/// until the invalidation is complete as a driver does, and gives the page to a new owner. From
/// then on the new owner's bytes must stay as they are (a stale write), and no access that begins
/// may see them (a stale read). What is soaked is reached through
/// [dev.sluice.testkit.soak.SoakIommu], a small adapter for each IOMMU model.
@NullMarked
package dev.sluice.testkit.soak;

import org.jspecify.annotations.NullMarked;
