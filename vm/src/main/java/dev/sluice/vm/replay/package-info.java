/// Replays what another hypervisor has recorded of its IOMMU: every call of the guest and every
/// translation goes through a model of this product, in order, and each answer is compared.
///
/// | part | files |
/// |---|---|
/// | entry | [Replay][dev.sluice.vm.replay.Replay], `ReplayReport`, `ReplayException` |
/// | reading | `TraceLines`, `SpaprTrace`, `SpaprEvent` |
/// | comparing | `SpaprReplay`, `DerivedEntries` |
@NullMarked
package dev.sluice.vm.replay;

import org.jspecify.annotations.NullMarked;
